import { assert, assertEquals, assertLessOrEqual, assertStrictEquals } from "@std/assert";
import { LogWriter } from "../../lib/serve/log_writer.ts";

/** What a write comes to: bytes that are taken at most, or an error. */
type Outcome = number | Error;

const FULL_DISK = Object.assign(new Error("No space left on device"), { code: "ENOSPC" });

/** A target that takes what it is told to, and all once nothing is told any more. */
class ScriptedTarget {
  readonly outcomes: Outcome[];
  text = "";
  writes = 0;

  constructor(...outcomes: Outcome[]) {
    this.outcomes = outcomes;
  }

  write(bytes: Uint8Array): Promise<number> {
    this.writes++;
    const outcome = this.outcomes.shift() ?? Infinity;
    if (typeof outcome !== "number") return Promise.reject(outcome);
    const taken = bytes.subarray(0, outcome);
    this.text += new TextDecoder().decode(taken);
    return Promise.resolve(taken.length);
  }
}

Deno.test("LogWriter writes lines in order, those of one moment together, whole where they are taken in parts", async () => {
  const target = new ScriptedTarget(2, 3);
  const writer = new LogWriter(target);
  for (const line of ["one", "two", "three"]) writer.write(line);
  assertStrictEquals(target.writes, 0);
  assert(await writer.end(10_000));
  assertEquals({ text: target.text, writes: target.writes }, { text: "one\ntwo\nthree\n", writes: 3 });
});

for (
  const error of [FULL_DISK, new Deno.errors.WouldBlock("full"), Object.assign(new Error("full"), { code: "EAGAIN" })]
) {
  Deno.test(`LogWriter tries again after ${error.name} ${"code" in error ? error.code : ""}, and loses nothing that has room`, async () => {
    const target = new ScriptedTarget(error, 2, error, error);
    const writer = new LogWriter(target);
    writer.write("one");
    while (target.outcomes.length > 1) await tick();
    writer.write("two");
    while (target.outcomes.length > 0 || target.text.length < 8) await tick();
    assert(await writer.end(10_000));
    assertEquals(target.text, "one\ntwo\n");
  });
}

Deno.test("LogWriter tells once of a target that fails, and again after it worked", async () => {
  const target = new ScriptedTarget(FULL_DISK, FULL_DISK, 1, FULL_DISK);
  const writer = new LogWriter(target);
  const failures: unknown[] = [];
  writer.listen({ onFailed: (error) => failures.push(error) });
  writer.write("one");
  while (target.text.length < 4) await tick();
  assertEquals(failures, [FULL_DISK, FULL_DISK]);
});

Deno.test("LogWriter drops what finds no room, and tells how many once half of it is free", async () => {
  const gate = Promise.withResolvers<void>();
  const target = new ScriptedTarget();
  const writer = new LogWriter({
    write: async (bytes) => {
      await gate.promise;
      return await target.write(bytes);
    },
  }, { maxBytes: 100 });
  writer.listen({ onDropped: (count) => writer.write(`${count} dropped`) });
  writer.write("first");
  await tick(); // it is being written, and takes no room
  for (let count = 0; count < 50; count++) writer.write("123456789");
  gate.resolve();
  while (!target.text.includes("dropped")) await tick();
  writer.write("last");
  assert(await writer.end(10_000));
  assertEquals(target.text.split("\n"), ["first", ...Array(10).fill("123456789"), "40 dropped", "last", ""]);
});

Deno.test("LogWriter.end() waits for a target that is slow, but no longer than it should", async () => {
  const writer = new LogWriter({ write: () => new Promise(() => {}) });
  writer.write("one");
  assert(!await writer.end(20));
});

Deno.test("LogWriter.end() tries a target that fails once more, and does not wait for it", async () => {
  const target = new ScriptedTarget(...Array<Error>(100).fill(FULL_DISK));
  const writer = new LogWriter(target);
  writer.write("one");
  while (target.writes < 3) await tick();
  const { writes } = target;
  assert(!await writer.end(1e9));
  assertLessOrEqual(target.writes, writes + 2);
});

Deno.test("LogWriter survives listeners that throw", async () => {
  const target = new ScriptedTarget(FULL_DISK);
  const writer = new LogWriter(target, { maxBytes: 5 });
  writer.listen({
    onFailed: () => {
      throw new Error("onFailed");
    },
    onDropped: () => {
      throw new Error("onDropped");
    },
  });
  writer.write("one");
  writer.write("two");
  while (target.text === "") await tick();
  writer.write("new");
  assert(await writer.end(10_000));
  assertEquals(target.text, "one\nnew\n");
});

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}

Deno.test("LogWriter writes a line that comes in the very moment in which the one before was written", async () => {
  for (let turns = 0; turns < 8; turns++) {
    const written: string[] = [];
    const first = Promise.withResolvers<void>();
    const target = {
      write: async (bytes: Uint8Array) => {
        written.push(new TextDecoder().decode(bytes));
        if (written.length === 1) await first.promise;
        return bytes.length;
      },
    };
    const writer = new LogWriter(target);
    writer.write("one");
    await new Promise((resolve) => setTimeout(resolve, 0));
    first.resolve();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    writer.write("two");
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(written, ["one\n", "two\n"], `${turns} turns`);
  }
});
