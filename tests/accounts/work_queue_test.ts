import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import { runInPlace, WorkQueue } from "../../lib/accounts/work_queue.ts";

import { yieldToEventLoop } from "../../lib/deadline.ts";

const SIGNAL = new AbortController().signal;

/** Work that the test ends, and that notes when it begins. */
class ManualWork {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, PromiseWithResolvers<string>>();

  make(name: string): () => Promise<string> {
    const end = Promise.withResolvers<string>();
    this.#ends.set(name, end);
    return () => {
      this.begun.push(name);
      return end.promise;
    };
  }

  end(name: string): void {
    this.#ends.get(name)?.resolve(name);
  }

  fail(name: string): void {
    this.#ends.get(name)?.reject(new Error(name));
  }
}

Deno.test("runInPlace() runs so many at once, and the others in their order", async () => {
  const queue = new WorkQueue({ maxRunning: 2, maxWaiting: 3 });
  const work = new ManualWork();
  const results = ["a", "b", "c", "d", "e"].map((name) => runInPlace(queue, work.make(name), { signal: SIGNAL }));
  await yieldToEventLoop();
  assertEquals(work.begun, ["a", "b"]);
  work.end("b");
  await results[1];
  await yieldToEventLoop();
  assertEquals(work.begun, ["a", "b", "c"]);
  work.end("c");
  work.end("a");
  await results[0];
  await results[2];
  await yieldToEventLoop();
  assertEquals(work.begun, ["a", "b", "c", "d", "e"]);
  work.end("d");
  work.end("e");
  assertEquals(await Promise.all(results), ["a", "b", "c", "d", "e"]);
});

Deno.test("runInPlace() lets owners take turns, however much of one is waiting", async () => {
  const queue = new WorkQueue({ maxRunning: 1, maxWaiting: 8 });
  const work = new ManualWork();
  const begin = (name: string, owner: string) => runInPlace(queue, work.make(name), { signal: SIGNAL, owner });
  const results = ["a1", "a2", "a3", "a4", "b1", "b2", "c1"].map((name) => begin(name, name.charAt(0)));
  const expected = ["a1", "a2", "b1", "c1", "a3", "b2", "a4"];
  for (const name of expected) {
    await yieldToEventLoop();
    assertEquals(work.begun.at(-1), name);
    work.end(name);
    await results[["a1", "a2", "a3", "a4", "b1", "b2", "c1"].indexOf(name)];
  }
  assertEquals(work.begun, expected);
});

Deno.test("runInPlace() counts what waits over all owners, and forgets owners whose work has gone", async () => {
  const queue = new WorkQueue({ maxRunning: 1, maxWaiting: 2 });
  const work = new ManualWork();
  const running = runInPlace(queue, work.make("running"), { signal: SIGNAL, owner: "a" });
  const abort = new AbortController();
  const dropped = ["a", "b"].map((owner) => runInPlace(queue, work.make(owner), { signal: abort.signal, owner }));
  await assertRejects(() => runInPlace(queue, work.make("c"), { signal: SIGNAL, owner: "c" }), AuthorizerBusyError);
  abort.abort(new Error("gone"));
  for (const result of dropped) await assertRejects(() => result, Error, "gone");
  const last = runInPlace(queue, work.make("last"), { signal: SIGNAL, owner: "b" });
  work.end("running");
  work.end("last");
  assertEquals(await Promise.all([running, last]), ["running", "last"]);
  assertEquals(work.begun, ["running", "last"]);
});

Deno.test("runInPlace() lets nobody who comes later take a place that was passed on", async () => {
  const queue = new WorkQueue({ maxRunning: 1, maxWaiting: 1 });
  const work = new ManualWork();
  const first = runInPlace(queue, work.make("first"), { signal: SIGNAL });
  const second = runInPlace(queue, work.make("second"), { signal: SIGNAL });
  work.end("first");
  await first;
  const third = runInPlace(queue, work.make("third"), { signal: SIGNAL });
  assertEquals(work.begun, ["first", "second"]);
  work.end("second");
  work.end("third");
  assertEquals(await Promise.all([second, third]), ["second", "third"]);
});

Deno.test("runInPlace() turns away what is over the bound, and accepts again afterwards", async () => {
  const queue = new WorkQueue({ maxRunning: 1, maxWaiting: 1 });
  const work = new ManualWork();
  const first = runInPlace(queue, work.make("first"), { signal: SIGNAL });
  const second = runInPlace(queue, work.make("second"), { signal: SIGNAL });
  await assertRejects(
    () => runInPlace(queue, work.make("third"), { signal: SIGNAL }),
    AuthorizerBusyError,
    "Cannot check the password: 1 logins wait already",
  );
  work.end("first");
  work.end("second");
  await Promise.all([first, second]);
  const fourth = runInPlace(queue, work.make("fourth"), { signal: SIGNAL });
  work.end("fourth");
  assertEquals(await fourth, "fourth");
  assertEquals(work.begun, ["first", "second", "fourth"]);
});

Deno.test("runInPlace() drops waiting work whose signal aborts", async () => {
  const queue = new WorkQueue({ maxRunning: 1, maxWaiting: 2 });
  const work = new ManualWork();
  const controller = new AbortController();
  const first = runInPlace(queue, work.make("first"), { signal: SIGNAL });
  const second = runInPlace(queue, work.make("second"), { signal: controller.signal });
  const third = runInPlace(queue, work.make("third"), { signal: SIGNAL });
  controller.abort(new Error("left"));
  await assertRejects(() => second, Error, "left");
  work.end("first");
  work.end("third");
  assertEquals(await Promise.all([first, third]), ["first", "third"]);
  assertEquals(work.begun, ["first", "third"]);
});

Deno.test("runInPlace() gives up running work whose signal aborts, which keeps its place until it ends", async () => {
  const queue = new WorkQueue({ maxRunning: 1, maxWaiting: 1 });
  const work = new ManualWork();
  const controller = new AbortController();
  const first = runInPlace(queue, work.make("first"), { signal: controller.signal });
  controller.abort(new Error("left"));
  await assertRejects(() => first, Error, "left");
  const second = runInPlace(queue, work.make("second"), { signal: SIGNAL });
  assertEquals(work.begun, ["first"]);
  work.fail("first");
  work.end("second");
  assertEquals(await second, "second");
});

Deno.test("runInPlace() begins nothing for a signal that has aborted", async () => {
  const queue = new WorkQueue({ maxRunning: 1, maxWaiting: 1 });
  const work = new ManualWork();
  const signal = AbortSignal.abort(new Error("left"));
  await assertRejects(() => runInPlace(queue, work.make("first"), { signal }), Error, "left");
  assertEquals(work.begun, []);
});

Deno.test("runInPlace() passes a failure on and gives its place to the next", async () => {
  const queue = new WorkQueue({ maxRunning: 1, maxWaiting: 1 });
  const work = new ManualWork();
  const first = runInPlace(queue, work.make("first"), { signal: SIGNAL });
  const second = runInPlace(queue, work.make("second"), { signal: SIGNAL });
  work.fail("first");
  await assertRejects(() => first, Error, "first");
  work.end("second");
  assertEquals(await second, "second");
});

Deno.test("WorkQueue refuses bounds that make no sense", () => {
  for (const maxRunning of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => new WorkQueue({ maxRunning, maxWaiting: 0 }), RangeError, `Cannot run ${maxRunning} at once`);
  }
  for (const maxWaiting of [-1, 0.5, NaN]) {
    assertThrows(() => new WorkQueue({ maxRunning: 1, maxWaiting }), RangeError, `Cannot let ${maxWaiting} wait`);
  }
});
