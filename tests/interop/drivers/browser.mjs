/**
 * Chromium by playwright-core. Each line of stdin is `{"id", "tab", "method", "args"}`, each line of stdout what came of it:
 * `{"id", "result"}` or `{"id", "error"}`. `open` makes a tab, `seen` tells what it has complained of and asked for, `axe`
 * what keeps people from using it; all else is a method of playwright's page, such as `fill` or `keyboard.press`. It ends
 * with stdin.
 */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { chromium } = createRequire(import.meta.url)("playwright-core");

const browser = await chromium.launch({
  executablePath: process.argv[2],
  args: [
    "--no-sandbox", // as root in a container there is none
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
  ],
});
const tabs = [];

async function open(url, { width, scheme }) {
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme: scheme,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const complaints = [];
  const requests = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("request", (request) => requests.push(request.url()));
  page.setDefaultTimeout(15_000);
  tabs.push({ page, complaints, requests });
  await page.goto(url);
  return tabs.length - 1;
}

async function axe(page) {
  await page.evaluate(await readFile(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8"));
  const { violations } = await page.evaluate("axe.run(document, { resultTypes: ['violations'] })");
  return violations.map(({ id, help, nodes }) =>
    `${id}: ${help}: ${nodes.slice(0, 3).map(({ html }) => html).join(" ")}`
  );
}

async function run({ tab, method, args }) {
  if (method === "open") return await open(...args);
  const { page, complaints, requests } = tabs[tab];
  if (method === "seen") return { complaints, requests };
  if (method === "axe") return await axe(page);
  if (method === "close") return await page.context().close();
  const names = method.split(".");
  const last = names.pop();
  const target = names.reduce((object, name) => object[name], page);
  const result = await target[last](...args);
  return ["evaluate", "textContent", "inputValue"].includes(last) ? result : undefined;
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = { result: await run(request) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify({ id: request.id, ...answer })}\n`);
}
await browser.close();
