import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { formatBytes, formatName } from "../../lib/admin/page/format.js";
import { AdminServer, TOKEN } from "../helpers/admin_server.ts";
import { programTest } from "../helpers/client_program.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { StubAdmin, type StubState, usualDay } from "./admin_stub.ts";
import { BROWSER_PROGRAM, type Tab, TestBrowser, VIEWS } from "./browser.ts";

const SESSIONS = 50;
const UPLOADS = 8;
/** A task of the page in the test of 1,000 sessions, on two cores that other tests keep busy; alone it is 50. */
const MAX_TASK_MS = 250;
const PICTURES = new URL("../../docs/pictures/", import.meta.url).pathname;

Deno.test(programTest({
  program: BROWSER_PROGRAM,
  name: "The admin page shows what the API says of 50 sessions, and disconnects, bans, lifts, reloads and drains",
  fn: async () => {
    await using admin = await AdminServer.start({
      limits: { connectionsPerAddress: 0 },
      listen: [{ port: 0 }],
      ban: { failures: 100 },
    });
    await using browser = new TestBrowser();
    await using clients = new AsyncDisposableStack();
    const all: RawClient[] = [];
    for (let count = 0; count < SESSIONS; count++) all.push(clients.use(await admin.login()));
    for (const [index, client] of all.slice(0, UPLOADS).entries()) {
      const data = clients.use(await client.passive());
      await client.expect(150, `STOR /up-${index}.bin`);
      await data.secure();
      await data.write(new Uint8Array((index + 1) * 1000));
    }
    const page = await signedIn(browser, admin.url);
    await page.until(`document.querySelectorAll("#sessions tbody tr").length === ${SESSIONS}`);
    await page.until(`${tile("Transfers")} === "${UPLOADS}"`);
    await compare(page, admin);
    await steer(page, admin, all);
    const { complaints, requests } = await page.seen();
    // The browser says so itself, of the address that was none.
    assertEquals(complaints, ["Failed to load resource: the server responded with a status of 400 (Bad Request)"]);
    assertEquals(requests.filter((url) => !url.startsWith(`${admin.url}/`) && !url.startsWith("data:")), []);
  },
}));

/** Numbers on the page are those of the API, and those of the load. */
async function compare(page: Tab, admin: AdminServer): Promise<void> {
  await page.until(`document.querySelectorAll("#quotas li meter").length === 2`);
  assertEquals(await page.get(tile("Sessions")), String(SESSIONS));
  assertEquals(await page.get(tile("Logins")), String(SESSIONS));
  const { body: sessions } = await admin.ask("/sessions");
  const expected = sessions.map(({ session, username, remote, transfer }: Record<string, never>) => [
    session,
    username,
    remote,
    transfer === undefined ? "" : transfer["path"],
    transfer === undefined ? "" : formatBytes(transfer["bytes"]),
  ]);
  const shown = await page.get<string[][]>(`[...document.querySelectorAll("#sessions tbody tr")].map((row) => [
    row.dataset.session,
    ...[".user bdi", ".client", ".file bdi", ".moved"].map((name) => row.querySelector(name).textContent),
  ])`);
  assertEquals(shown.toSorted(), expected.toSorted());
  const moved = shown.flatMap(([, , , path, bytes]) => path === "" ? [] : [`${path} ${bytes}`]);
  const sent = Array.from({ length: UPLOADS }, (_, index) => `/up-${index}.bin ${formatBytes((index + 1) * 1000)}`);
  assertEquals(moved.toSorted(), sent.toSorted());
  const { body: [quota] } = await admin.ask("/quotas");
  assertMatch(await page.text("#quotas li"), new RegExp(`${formatBytes(quota.used.bytes)} of 1.0 MB`));
}

async function steer(page: Tab, admin: AdminServer, all: readonly RawClient[]): Promise<void> {
  await page.do("fill", "#filter", "up-7.bin");
  await page.until(`document.querySelectorAll("#sessions tbody tr").length === 1`);
  assertEquals(await page.text("#sessions-note"), `1 session that fit, of ${SESSIONS}.`);
  await page.do("focus", "#sessions tbody button");
  await page.do("keyboard.press", "Enter");
  await page.do("keyboard.press", "Escape"); // no: nothing happens
  assertEquals((await admin.ask("/sessions")).body.length, SESSIONS);
  await page.do("click", "#sessions tbody button");
  await page.do("click", "#question-yes");
  assertEquals((await all[7]?.readReply())?.code, 426);
  await page.do("fill", "#filter", "");
  await page.until(`document.querySelectorAll("#sessions tbody tr").length === ${SESSIONS - 1}`);
  assertMatch(await page.text("#announcement"), /^Session \S+ was disconnected\.$/);
  await page.until(`document.querySelector("#trouble .transferIncomplete") !== null`);
  await page.do("click", "#ban");
  await page.do("fill", "#question-fields input", "not an address");
  await page.do("click", "#question-yes");
  await page.until(`document.querySelector("#question-error").textContent.includes("no IPv4 or IPv6 address")`);
  await page.do("fill", "#question-fields input", "192.0.2.1");
  await page.do("keyboard.press", "Enter");
  await page.until(`document.querySelector("#bans code")?.textContent === "192.0.2.1"`);
  assertEquals((await admin.ask("/bans")).body.length, 1);
  await page.do("click", "#bans button");
  await page.do("click", "#question-yes");
  await page.until(`document.querySelector("#bans .empty") !== null`);
  await page.do("click", "#reload");
  await page.do("click", "#question-yes");
  await page.until(`document.querySelector("#announcement").textContent === "The configuration was read again."`);
  const actions = admin.events.flatMap((event) => event.event === "administered" ? [event.action] : []);
  assertEquals(actions, ["disconnect", "ban", "unban", "reload"]);
}

Deno.test(programTest({
  program: BROWSER_PROGRAM,
  name: "The admin page takes a wrong token back, forgets the right one, and comes again when the server was away",
  fn: async () => {
    await using browser = new TestBrowser();
    await using admin = await AdminServer.start();
    const page = await browser.open(admin.url);
    await page.do("fill", "#token", "wrong");
    await page.do("keyboard.press", "Enter");
    await page.until(`document.querySelector("#token-error").textContent === "This token is not right."`);
    await page.do("fill", "#token", TOKEN);
    await page.do("keyboard.press", "Enter");
    await page.until(`document.querySelector("#connection").textContent === "live"`);
    assertEquals(await page.get("[sessionStorage.length, localStorage.length, document.cookie]"), [1, 0, ""]);
    await page.do("reload");
    await page.until(`document.querySelector("#connection").textContent === "live"`);
    await page.do("click", "#drain");
    await page.do("click", "#question-yes");
    await page.until(`document.querySelector("#connection").textContent.startsWith("no connection")`);
    await page.do("click", "#leave");
    assertEquals(await page.get("sessionStorage.length"), 0);
    await page.until(`document.activeElement.id === "token"`);
  },
}));

/** Names that would do harm where they were taken for more than a text. */
const HOSTILE = [
  '<img src=x onerror="alert(1)">',
  "\u202Egnp.exe\u0000\n\u200B",
  "a".repeat(10_000),
  "</script><script>alert(1)</script>",
];

Deno.test(programTest({
  program: BROWSER_PROGRAM,
  name: "The admin page shows hostile names as texts, has no barriers in any view, and never scrolls sideways",
  fn: async () => {
    const state = usualDay();
    const { sessions, incidents, server } = state.message as Record<string, Record<string, unknown>[]>;
    for (const [index, name] of HOSTILE.entries()) {
      const transfer = { command: "STOR", path: `/${name}`, bytes: 5, seconds: 1, rate: 5 };
      sessions?.push({
        session: `h-${index}`,
        remote: "192.0.2.9:999",
        username: name,
        isLoggedIn: false,
        since: new Date().toISOString(),
        transfer,
      });
      incidents?.push({
        time: new Date(),
        event: "commandRefused",
        remote: "192.0.2.9:999",
        username: name,
        text: `SIZE ${name}: no`,
        code: 550,
      });
      (state.quotas as unknown[]).push({ name: `user ${name}`, limits: { bytes: 1, files: 1 } });
      (state.nodes as unknown[]).push({ name, isThis: false, sessions: 0, leaseSeconds: -1 });
    }
    assert(server !== undefined);
    await using stub = new StubAdmin(state);
    await using browser = new TestBrowser();
    for (const view of VIEWS) {
      const page = await browser.open(stub.url, view);
      await page.until(`document.querySelectorAll("#nodes li").length > 3 && ${tile("Receiving")} !== "–"`);
      const names = await page.get<string[]>(
        `[...document.querySelectorAll("#sessions .user bdi")].map((it) => it.textContent)`,
      );
      for (const name of HOSTILE) assert(names.includes(formatName(name, 80)), name);
      assertEquals(await page.get(`document.querySelectorAll("main img, main script").length`), 0);
      assert(await page.get("document.documentElement.scrollWidth <= innerWidth"), JSON.stringify(view));
      assertEquals(await page.barriers(), [], JSON.stringify(view));
      if (view.width < 1000) {
        await page.do("click", "#ban");
        assertEquals(await page.barriers(), [], JSON.stringify(view));
      }
      assertEquals((await page.seen()).complaints, []);
      await page.do("close");
    }
  },
}));

Deno.test(programTest({
  program: BROWSER_PROGRAM,
  name: "The admin page follows 1,000 sessions and 100 events a second, and makes 200 rows",
  fn: async () => {
    await using stub = new StubAdmin(busyServer());
    await using browser = new TestBrowser();
    const page = await browser.open(stub.url);
    await page.until(`document.querySelectorAll("#sessions tbody tr").length === 200`);
    assertEquals(await page.text("#sessions-note"), "200 of 1,000 sessions; filter for the 800 others.");
    await page.get(`void (globalThis.long = [], new PerformanceObserver((list) => {
      long.push(...list.getEntries().map(({ duration }) => duration));
    }).observe({ type: "longtask" }))`);
    await page.do("waitForTimeout", 4000);
    const long = await page.get<number[]>("long");
    // On a machine that others use, too, a task waits for its turn: those that are long by themselves are the most.
    assertLess(long.filter((duration) => duration > MAX_TASK_MS).length, 10, String(long));
    if (Deno.env.get("FTPSD_PRINT_LONG") !== undefined) Deno.stderr.writeSync(new TextEncoder().encode(`${long}\n`));
    await page.do("fill", "#filter", "user-999");
    await page.until(`document.querySelectorAll("#sessions tbody tr").length === 1`);
    assertEquals((await page.seen()).complaints, []);
  },
}));

/** Five messages a second, each with all sessions changed and twenty new incidents. */
function busyServer(): StubState {
  const state = usualDay();
  const since = new Date().toISOString();
  const sessions = Array.from({ length: 1000 }, (_, index) => ({
    session: `s-${index}`,
    remote: `198.51.100.${index % 250}:${10_000 + index}`,
    username: `user-${index}`,
    isLoggedIn: true,
    tls: "TLSv1.3",
    since,
    transfer: {
      command: "STOR",
      path: `/folder/file-${index}.bin`,
      bytes: index * 1000,
      seconds: 1,
      rate: index * 1000,
    },
  }));
  const incidents = Array.from({ length: 20 }, (_, index) => ({
    time: since,
    event: "commandRefused",
    remote: "192.0.2.9:999",
    text: `SIZE /${index}: /${index} is not retrievable.`,
    code: 550,
  }));
  state.message = { ...state.message, sessions, incidents };
  return {
    ...state,
    everyMs: 200,
    repeats: true,
    advance: ({ message }) => {
      for (const { transfer } of message["sessions"] as typeof sessions) {
        transfer.bytes += 1 + Math.floor(Math.random() * 100_000);
        transfer.rate = Math.floor(Math.random() * 1e6);
      }
    },
  };
}

Deno.test({
  ...programTest({
    program: BROWSER_PROGRAM,
    name: "Pictures of the admin page are made where FTPSD_PICTURES is set",
    fn: async () => {
      await using stub = new StubAdmin(usualDay());
      await using browser = new TestBrowser();
      for (const { width, scheme } of VIEWS) {
        const page = await browser.open(stub.url, { width, scheme });
        await page.until(`document.querySelectorAll("#nodes li").length === 2 && ${tile("Receiving")} !== "–"`);
        await page.do("setViewportSize", { width, height: 820 });
        await page.until("document.querySelector('#trouble li') !== null");
        await page.do("screenshot", { path: `${PICTURES}admin-${width}-${scheme}.png` });
        assertLess((await Deno.stat(`${PICTURES}admin-${width}-${scheme}.png`)).size, 150_000);
      }
    },
  }),
  ...Deno.env.get("FTPSD_PICTURES") === undefined && { ignore: true },
});

async function signedIn(browser: TestBrowser, url: string): Promise<Tab> {
  const page = await browser.open(url);
  await page.do("fill", "#token", TOKEN);
  await page.do("keyboard.press", "Enter");
  return page;
}

/** Expression for the number of a tile. */
function tile(name: string): string {
  return `[...document.querySelectorAll("#overview dt")].find((it) => it.textContent === "${name}")?.nextSibling.textContent`;
}
