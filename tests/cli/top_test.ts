import { assert, assertEquals, assertMatch } from "@std/assert";
import { Picture } from "../../lib/cli/top.ts";
import { widthOf } from "../../lib/cli/terminal_text.ts";

const SINCE = "2026-02-08T10:55:00.000Z";
const TIME = Date.parse(SINCE) / 1000 + 100;

interface Uploading {
  readonly name: string;
  readonly bytes: number;
  readonly path?: string;
}

function message(seconds: number, uploads: readonly Uploading[], idle = 0): unknown {
  const session = (name: string) => ({
    session: name,
    remote: "[2001:db8:1234:5678:9abc:def0:1234:5678]:50000",
    username: name,
    isLoggedIn: true,
    since: SINCE,
  });
  return {
    time: TIME + seconds,
    server: {
      ...{ version: "1.2.3", since: SINCE, workers: 2, addresses: [], isReady: true, sessions: uploads.length + idle },
      acceptedRisks: [],
    },
    sessions: [
      ...Array.from({ length: idle }, (_, index) => session(`idle${index}`)),
      ...uploads.map(({ name, bytes, path = `/${name}.bin` }) => ({
        ...session(name),
        transfer: { command: "STOR", path, bytes, seconds: 10 + seconds, rate: Math.round(bytes / (10 + seconds)) },
      })),
    ],
    totals: { received: uploads.reduce((sum, { bytes }) => sum + bytes, 0), sent: 0, logins: 3, loginsFailed: 1 },
    incidents: [],
  };
}

Deno.test("Picture sorts by what moves now, not by what has moved", () => {
  const picture = new Picture();
  picture.take(message(0, [{ name: "slow", bytes: 9_000_000 }, { name: "fast", bytes: 0 }], 1));
  picture.take(message(2, [{ name: "slow", bytes: 9_002_048 }, { name: "fast", bytes: 4_194_304 }], 1));
  const lines = picture.lines({ columns: 80 });
  assertEquals(lines.slice(4).map((line) => line.split(" ")[0]), ["fast", "slow", "idle0"]);
  assertMatch(lines[1] ?? "", /^sessions 3, transfers 2; in 2\.0 MiB\/s, out 0 B\/s; logins 3, failed 1$/);
  assertMatch(lines[4] ?? "", /4\.0 MiB +2\.0 MiB\/s +↑ \/fast\.b/);
  assertMatch(lines[5] ?? "", /1\.0 KiB\/s/);
});

Deno.test("Picture fits any terminal, and lets no name command it", () => {
  const picture = new Picture();
  const path = `/\x1b[2J\u202e/漢字漢字漢字/${"long".repeat(50)}/end`;
  picture.take(message(0, [{ name: "\x1b]0;title\x07user", bytes: 1, path }], 50));
  for (const [columns, rows] of [[80, 24], [100, 10], [40, 5], [20, 2], [1, 1], [200, 100]] as const) {
    const lines = picture.lines({ columns, rows }, "a note\x1b[0m");
    assert(lines.length <= rows);
    for (const line of lines) {
      assert(widthOf(line) <= columns, line);
      // deno-lint-ignore no-control-regex -- what is looked for
      assert(!/[\x00-\x1f\x7f-\x9f\u202e]/.test(line));
    }
  }
  const lines = picture.lines({ columns: 80, rows: 24 });
  assertMatch(lines.at(-1) ?? "", /^and 32 more$/);
});
