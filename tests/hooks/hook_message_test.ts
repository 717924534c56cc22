import { assert, assertEquals, assertThrows } from "@std/assert";
import { keyOf, signedHeaders, toMessage } from "../../lib/hooks/hook_message.ts";
import { parseRetryAfter } from "../../lib/hooks/hook_receiver.ts";

Deno.test("signedHeaders() signs as the example of Standard Webhooks", () => {
  // The vector of the libraries of Standard Webhooks.
  const message = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: '{"test": 2432232314}' };
  const headers = signedHeaders(message, keyOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"), 1614265330);
  assertEquals(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  assertEquals(headers["webhook-timestamp"], "1614265330");
  assertEquals(headers["webhook-id"], message.id);
});

Deno.test("keyOf() takes any word of 24 bytes, and nothing shorter or of two words", () => {
  assertEquals(keyOf("x".repeat(24)).length, 24);
  for (const token of ["", "x".repeat(23), `whsec_${btoa("x".repeat(23))}`, `${"x".repeat(24)} y`, "ü".repeat(24)]) {
    assertThrows(() => keyOf(token), SyntaxError);
  }
});

Deno.test("toMessage() tells what happened, in one lane for each path, whatever characters it has", () => {
  const event = { event: "fileReceived", time: new Date(0), session: "1", remote: "[::1]:1", command: "STOR" } as const;
  const path = '/a\r\n\0\u202e"\ud800';
  const { id, hook, lane, body } = toMessage({ ...event, username: "alice", path, bytes: 3, seconds: 0.5 }, "n1");
  assertEquals([hook, lane], ["fileReceived", JSON.stringify(path)]);
  assertEquals(JSON.parse(body), {
    version: 1,
    id,
    event: "fileReceived",
    time: "1970-01-01T00:00:00.000Z",
    node: "n1",
    session: "1",
    remote: "[::1]:1",
    command: "STOR",
    username: "alice",
    path,
    bytes: 3,
    seconds: 0.5,
  });
  // deno-lint-ignore no-control-regex -- none is to be there
  assert(!/[\x00-\x1f]/.test(body + lane));
});

Deno.test("parseRetryAfter() takes seconds and dates, an hour at most, and nothing else", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assertEquals(parseRetryAfter("3", now), 3000);
  assertEquals(parseRetryAfter("Thu, 01 Jan 2026 00:01:00 GMT", now), 60_000);
  assertEquals(parseRetryAfter("Thu, 01 Jan 2020 00:01:00 GMT", now), 0);
  assertEquals(parseRetryAfter("9999999999", now), 3_600_000);
  for (const value of [null, "", "soon", "-1", "99999999999"]) {
    assertEquals(parseRetryAfter(value, now) ?? 0, 0, String(value));
  }
});
