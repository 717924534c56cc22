import { assert, assertEquals, assertLess } from "@std/assert";
import { answerPage, CONTENT_SECURITY_POLICY, PAGE_PATHS } from "../../lib/admin/page/page.ts";
import { explain } from "../../lib/admin/page/explain.js";
import { formatBytes, formatDuration, formatName } from "../../lib/admin/page/format.js";
import { Timeline } from "../../lib/admin/page/timeline.js";
import { INCIDENT_EVENTS } from "../../lib/admin/recent.ts";
import { AdminServer } from "../helpers/admin_server.ts";

const ROOT = new URL("../../", import.meta.url);

async function load(path: string): Promise<string> {
  return await (await answerPage(new Request(`http://localhost${path}`), { wantsToken: true }))?.text() ?? "";
}

Deno.test("The page is under 150 KB, names no other host, and has neither inline scripts nor styles", async () => {
  const files = new Map<string, string>();
  for (const path of PAGE_PATHS) files.set(path, await load(path));
  const bytes = [...files.values()].reduce((sum, text) => sum + new TextEncoder().encode(text).length, 0);
  assertLess(bytes, 150_000);
  const html = files.get("/") ?? "";
  const named = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name = ""]) => name);
  assertEquals(named.filter((name) => !name.startsWith("data:") && !files.has(`/${name}`)), []);
  assert(!/<style|style=|<script>|\son\w+=/.test(html));
  for (const [path, text] of files) {
    for (const [, name = ""] of text.matchAll(/^import .*"\.\/(.+)";$/gm)) assert(files.has(`/page/${name}`), name);
    if (!path.includes("uplot")) {
      assert(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|https?:/.test(text), path);
    }
  }
});

Deno.test("The page is served to everybody, with a policy that lets it load and ask nothing but this server", async () => {
  await using admin = await AdminServer.start();
  for (const path of PAGE_PATHS) {
    const response = await fetch(`${admin.url}${path}`);
    const { status, headers } = response;
    await response.body?.cancel();
    assertEquals([status, headers.get("content-security-policy")], [200, CONTENT_SECURITY_POLICY], path);
    assertEquals([headers.get("x-content-type-options"), headers.get("cache-control")], ["nosniff", "no-store"]);
  }
  for (
    const [path, method, status] of [["/page/other.js", "GET", 404], ["/page/page.ts", "GET", 404], ["/", "POST", 405]]
  ) {
    const response = await fetch(`${admin.url}${path}`, { method: String(method) });
    await response.body?.cancel();
    assertEquals(response.status, status);
  }
});

Deno.test("answerPage() asks for a token only where one is wanted", async () => {
  const ask = async (wantsToken: boolean) =>
    (await (await answerPage(new Request("http://localhost/"), { wantsToken }))?.text())?.includes(
      'data-token="wanted"',
    );
  assertEquals(await Promise.all([true, false].map(ask)), [true, false]);
});

Deno.test("explain() has words for each incident, and names sections that docs/troubleshooting.md has", async () => {
  const text = await Deno.readTextFile(new URL("docs/troubleshooting.md", ROOT));
  const sections = new Set(
    [...text.matchAll(/^##+ (.*)$/gm)].map(([, title = ""]) =>
      title.toLowerCase().replace(/[^\w -]/g, "").replace(/ /g, "-")
    ),
  );
  const codes = [...text.matchAll(/^\| `(\d{3})/gm)].map(([, code]) => Number(code));
  assert(codes.length > 50);
  const incidents = [
    ...INCIDENT_EVENTS.map((event) => ({ event, text: "" })),
    ...codes.map((code) => ({ event: "commandRefused", text: "", code })),
    { event: "commandRefused", text: "PASV: Passive data channel timed out.", code: 425 },
    { event: "commandRefused", text: "STOR /a: Not enough privileges.", code: 550 },
    { event: "commandRefused", text: "SIZE /a: No such file or directory.", code: 550 },
    { event: "transferIncomplete", text: "without TLS close_notify" },
    { event: "transferIncomplete", text: "quota" },
    { event: "transferIncomplete", text: "timed out" },
  ];
  for (const incident of incidents) {
    const { name, why, section } = explain(incident);
    assert(sections.has(section), section);
    assert(name !== "" && (why !== "The reply says why." || !("code" in incident)), JSON.stringify(incident));
  }
});

Deno.test("formatName() shows what would be unseen or turn the text, on one line, and cuts it", () => {
  assertEquals(formatName("a\u202Egnp.exe\n\u0000"), "a\\u{202e}gnp.exe\\u{a}\\u{0}");
  assertEquals(formatName("<img src=x>"), "<img src=x>");
  assertEquals(formatName("x".repeat(10_000)).length, 161);
  assertEquals(formatName(undefined), "");
});

Deno.test("formatBytes() and formatDuration() take the unit that suits", () => {
  assertEquals([0, 999, 1000, 70_000, 999_600, 1.5e9].map(formatBytes), [
    "0 B",
    "999 B",
    "1.0 kB",
    "70.0 kB",
    "1.0 MB",
    "1.5 GB",
  ]);
  assertEquals([-1, 59.9, 60, 3661, 90_000].map(formatDuration), ["0 s", "59 s", "1 min", "1 h 1 min", "1 d 1 h"]);
});

Deno.test("Timeline goes on where the server's history ends, and begins anew with a new server", () => {
  const timeline = new Timeline(10, 3);
  const totals = (received: number, logins: number) => ({ received, sent: 0, logins, loginsFailed: 0, incomplete: 0 });
  const message = (time: number, received: number, logins: number) => ({
    time,
    server: { sessions: 1 },
    totals: totals(received, logins),
  });
  timeline.load([{ time: 0, sessions: 2, ...totals(5, 1) }]);
  timeline.add(message(0, 100, 0));
  timeline.add(message(6, 700, 1));
  assertEquals(timeline.points().map(({ time, received, logins }) => [time, received, logins]), [[0, 5, 6], [
    6,
    100,
    10,
  ]]);
  timeline.add(message(10, 1100, 1));
  timeline.add(message(11, 0, 0)); // another process
  assertEquals(timeline.points().map(({ time, received }) => [time, received]), [[0, 5], [10, 100]]);
  for (let time = 12; time < 100; time += 1) timeline.add(message(time, 0, 0));
  assertEquals(timeline.points().length, 4);
});
