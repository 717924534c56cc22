import { assertEquals, assertStrictEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { readOnly } from "../../lib/filesystem/read_only.ts";
import { testReading } from "../conformance/filesystem_conformance.ts";

testReading("readOnly()", (files) =>
  Promise.resolve({
    fileSystem: readOnly(MemoryFileSystem.of(files)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }));

Deno.test("readOnly() leaves out every method that changes something", () => {
  const view = readOnly(new MemoryFileSystem());
  assertEquals(Object.keys(view).sort(), ["list", "openRead", "stat"]);
  assertStrictEquals(view.openWrite, undefined);
});

Deno.test("readOnly() reports links as the file system does", async () => {
  const info = { type: "link", size: 0, target: "/dir" } as const;
  const view = readOnly(Object.assign(new MemoryFileSystem(), { lstat: () => Promise.resolve(info) }));
  assertStrictEquals(await view.lstat?.("/link", { signal: new AbortController().signal }), info);
});
