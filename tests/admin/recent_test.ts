import { assertEquals } from "@std/assert";
import { RecentIncidents } from "../../lib/admin/recent.ts";

Deno.test("RecentIncidents keeps no more of a text than somebody would read, whoever has sent it", () => {
  const recent = new RecentIncidents();
  const [time, remote, session] = [new Date(0), "192.0.2.1:1", "a1b2-1"];
  const username = "u".repeat(8000);
  recent.take({ event: "loginFailed", time, session, remote, username });
  const refused = { event: "commandRefused", time, session, remote, command: "SIZE", code: 550, reply: "No." } as const;
  recent.take({ ...refused, argument: "a".repeat(8000) });
  assertEquals(recent.since(0).map(({ text, username }) => [text.length, username?.length]), [[12, 501], [
    501,
    undefined,
  ]]);
});
