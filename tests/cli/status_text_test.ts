import { assertEquals } from "@std/assert";
import { describeSessions } from "../../lib/cli/log_text.ts";
import type { SessionInfo } from "../../lib/session/session.ts";

const NOW = new Date("2026-02-08T10:55:42Z");
const SESSION: SessionInfo = {
  session: "a1b2-1",
  remote: "192.0.2.7:50000",
  username: "bob",
  isLoggedIn: true,
  tls: "TLSv1.3",
  since: new Date("2026-02-08T10:55:00Z"),
  transfer: undefined,
};

/** Sessions, and the lines about them. */
const CASES: readonly (readonly [what: string, sessions: readonly SessionInfo[], lines: readonly string[]])[] = [
  ["nobody", [], ["no sessions, no transfers"]],
  ["a user", [SESSION], [
    "1 session, no transfers",
    "192.0.2.7:50000-[bob] session a1b2-1, TLSv1.3, for 42 s",
  ]],
  ["somebody who has not logged in", [{ ...SESSION, username: undefined, isLoggedIn: false, tls: undefined }], [
    "1 session, no transfers",
    "192.0.2.7:50000-[] session a1b2-1, in clear, for 42 s, not logged in",
  ]],
  ["transfers, the oldest session first", [
    { ...SESSION, transfer: { command: "RETR", path: "/a b", bytes: 12, seconds: 0.25 } },
    {
      ...SESSION,
      session: "a1b2-0",
      since: new Date("2026-02-08T09:55:42Z"),
      transfer: { command: "STOR", path: "/c", bytes: 0, seconds: 3 },
    },
    { ...SESSION, session: "a1b2-2", since: new Date("2026-02-08T10:55:43Z") },
  ], [
    "3 sessions, 2 transfers",
    "192.0.2.7:50000-[bob] session a1b2-0, TLSv1.3, for 3600 s, STOR /c bytes=0 seconds=3.000",
    "192.0.2.7:50000-[bob] session a1b2-1, TLSv1.3, for 42 s, RETR /a b bytes=12 seconds=0.250",
    "192.0.2.7:50000-[bob] session a1b2-2, TLSv1.3, for 0 s",
  ]],
];

for (const [what, sessions, lines] of CASES) {
  Deno.test(`describeSessions() describes ${what}`, () => {
    assertEquals(describeSessions(sessions, NOW), lines);
  });
}
