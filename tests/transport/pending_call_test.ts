import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../lib/transport/connection.ts";
import { type Done, PendingCall } from "../../lib/transport/pending_call.ts";
import { kindOf } from "./connection_cases.ts";

Deno.test("PendingCall.run() resolves and rejects as the callback says, again and again", async () => {
  const call = new PendingCall();
  await call.run((done) => done());
  assertEquals(await kindOf(call.run((done) => done(new Error("EPIPE")))), "reset");
  await call.run((done) => queueMicrotask(() => done(null)));
});

Deno.test("PendingCall.run() refuses a second call at a time", async () => {
  const call = new PendingCall();
  let finish: Done = () => {};
  const pending = call.run((done) => finish = done);
  await assertRejects(() => call.run((done) => done()), TypeError, "pending");
  finish();
  await pending;
});

Deno.test("PendingCall.fail() rejects the pending call and all later ones with the first failure", async () => {
  const call = new PendingCall();
  let finish: Done = () => {};
  const pending = call.run((done) => finish = done);
  call.fail(new ConnectionError("reset", "Cut"));
  call.fail(new ConnectionError("closed", "Closed"));
  assertEquals(await kindOf(pending), "reset");
  finish(); // Too late: nothing happens.
  assertEquals(await kindOf(call.run((done) => done())), "reset");
});
