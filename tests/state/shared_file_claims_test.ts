import { assertThrows } from "@std/assert";
import { FileSystemError } from "../../lib/filesystem/filesystem.ts";
import { SharedFileClaims } from "../../lib/state/shared_file_claims.ts";
import { createTableMemory, SharedTable } from "../../lib/state/shared_table.ts";

/** Claims of two event loops. */
function createTwo(): readonly [SharedFileClaims, SharedFileClaims] {
  const memory = createTableMemory(8);
  return [new SharedFileClaims(new SharedTable(memory)), new SharedFileClaims(new SharedTable(memory))];
}

Deno.test("SharedFileClaims.claim() refuses a second claim on a file from anywhere until the first is released", () => {
  const [one, other] = createTwo();
  const first = one.claim("a");
  for (const claims of [one, other]) assertThrows(() => claims.claim("a"), FileSystemError, "being written");
  other.claim("b")[Symbol.dispose]();
  first[Symbol.dispose]();
  other.claim("a")[Symbol.dispose]();
});

Deno.test("SharedFileClaims.claim() releases once, never the claim of a later writer", () => {
  const [one, other] = createTwo();
  const first = one.claim("a");
  first[Symbol.dispose]();
  using _later = other.claim("a");
  first[Symbol.dispose]();
  assertThrows(() => one.claim("a"), FileSystemError);
});
