/**
 * What every implementation of the records port has to do.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { StateRecords } from "../../lib/state/records.ts";

/** An implementation with a clock that a test sets, in milliseconds since 1970. */
export interface RecordsUnderTest extends AsyncDisposable {
  readonly records: StateRecords;
  readonly clock: { now(): number; advance(ms: number): Promise<void> | void };
}

/** A clock of a test. */
export function createClock(now = 1_000_000): RecordsUnderTest["clock"] {
  return { now: () => now, advance: (ms) => void (now += ms) };
}

/** Tests an implementation. */
export function testRecords(
  name: string,
  create: () => Promise<RecordsUnderTest>,
  { ignore = false }: { readonly ignore?: boolean } = {},
): void {
  const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore, fn });
  test(`${name} returns what was set, for each space by itself`, async () => {
    await using made = await create();
    const { records } = made;
    assertEquals(await records.get("digests", "/a"), undefined);
    await records.set("digests", "/a", "1");
    await records.set("digests", "/a", "2");
    await records.set("uploads", "/a", "ü\0\n");
    assertEquals(await records.get("digests", "/a"), "2");
    assertEquals(await records.get("uploads", "/a"), "ü\0\n");
    await records.delete("digests", "/a");
    await records.delete("digests", "/never");
    assertEquals(await records.get("digests", "/a"), undefined);
    assertEquals(await records.list("uploads"), [{ key: "/a", value: "ü\0\n" }]);
  });

  test(`${name} lists keys in the order of their code units, page by page`, async () => {
    await using made = await create();
    const { records } = made;
    // In UTF-8 the pair would be the last of them.
    const keys = ["", "/", "/a", "/a/b", "/ab", "/b", "é", "\ud83d\ude00", "\udc00", "\uf000", "\uffff"];
    for (const key of keys.toReversed()) await records.set("s", key, `of ${key}`);
    await records.set("t", "/a", "another space");
    const listed = async (options?: Parameters<StateRecords["list"]>[1]) =>
      (await records.list("s", options)).map(({ key }) => key);
    assertEquals(await listed(), keys.slice(1));
    assertEquals(await records.get("s", ""), "of ");
    assertEquals(await listed({ prefix: "/a" }), ["/a", "/a/b", "/ab"]);
    assertEquals(await listed({ prefix: "/a", after: "/a" }), ["/a/b", "/ab"]);
    assertEquals(await listed({ prefix: "\uffff" }), ["\uffff"]);
    assertEquals(await listed({ limit: 2 }), ["/", "/a"]);
    assertEquals(await listed({ limit: 2, after: "/a" }), ["/a/b", "/ab"]);
    assertEquals(await records.list("s", { prefix: "/b" }), [{ key: "/b", value: "of /b" }]);
  });

  test(`${name} forgets what has expired`, async () => {
    await using made = await create();
    const { records, clock } = made;
    await records.set("s", "a", "1", { expiresAt: clock.now() + 60_000 });
    await records.set("s", "b", "1");
    await clock.advance(50_000);
    assertEquals(await records.get("s", "a"), "1");
    await clock.advance(10_000);
    assertEquals(await records.get("s", "a"), undefined);
    assertEquals((await records.list("s")).map(({ key }) => key), ["b"]);
    await records.set("s", "a", "2");
    assertEquals(await records.get("s", "a"), "2");
  });

  test(`${name} adds a value where there is none, for one of several callers at once, and again once it has expired`, async () => {
    await using made = await create();
    const { records, clock } = made;
    const expiresAt = clock.now() + 60_000;
    const added = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => await records.add("s", "a", `${index}`, { expiresAt })),
    );
    assertEquals(added.filter((isAdded) => isAdded).length, 1);
    assertEquals(await records.get("s", "a"), `${added.findIndex((isAdded) => isAdded)}`);
    assertEquals([await records.add("t", "a", "other"), await records.add("s", "b", "for ever")], [true, true]);
    await clock.advance(61_000);
    assert(!await records.add("s", "b", "again"));
    assertEquals([await records.add("s", "a", "later"), await records.get("s", "a")], [true, "later"]);
    assert(!await records.add("s", "a", "too late"));
  });

  test(`${name} takes keys and values of any kind and length`, async () => {
    await using made = await create();
    const { records } = made;
    const random = Array.from(crypto.getRandomValues(new Uint8Array(2500)), (byte) => String.fromCharCode(33 + byte));
    const long = `/${random.join("")}`;
    const keys = ["a\0b", '{"\\}', "\ud800", long, `${long}1`, `${long}2`, `${long}2/a`];
    for (const key of keys) await records.set("s", key, `${key.length} \0 \udfff '"\\`);
    for (const key of keys) assertEquals(await records.get("s", key), `${key.length} \0 \udfff '"\\`);
    const listed = async (options: Parameters<StateRecords["list"]>[1]) =>
      (await records.list("s", options)).map(({ key }) => key.startsWith(long) ? key.slice(long.length) : key);
    assertEquals(await listed({ prefix: long }), ["", "1", "2", "2/a"]);
    assertEquals(await listed({ prefix: long, after: `${long}1`, limit: 1 }), ["2"]);
    assertEquals(await listed({ prefix: `${long}2/` }), ["2/a"]);
    await records.delete("s", `${long}2`);
    assertEquals(await listed({ after: long }), ["1", "2/a", "a\0b", '{"\\}', "\ud800"]);
  });
}
