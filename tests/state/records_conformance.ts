/**
 * What every implementation of the records port has to do.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { StateRecords } from "../../lib/state/records.ts";

/** An implementation with a clock that a test sets, in milliseconds since 1970. */
export interface RecordsUnderTest extends Disposable {
  readonly records: StateRecords;
  readonly clock: { now: number };
}

/** Tests an implementation. */
export function testRecords(name: string, create: () => RecordsUnderTest): void {
  Deno.test(`${name} returns what was set, for each space by itself`, async () => {
    using made = create();
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

  Deno.test(`${name} lists keys in the order of their code units, page by page`, async () => {
    using made = create();
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

  Deno.test(`${name} forgets what has expired`, async () => {
    using made = create();
    const { records, clock } = made;
    await records.set("s", "a", "1", { expiresAt: clock.now + 1000 });
    await records.set("s", "b", "1");
    clock.now += 999;
    assertEquals(await records.get("s", "a"), "1");
    clock.now += 1;
    assertEquals(await records.get("s", "a"), undefined);
    assertEquals((await records.list("s")).map(({ key }) => key), ["b"]);
    await records.set("s", "a", "2");
    assertEquals(await records.get("s", "a"), "2");
  });
}
