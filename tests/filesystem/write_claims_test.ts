import { assertStrictEquals, assertThrows } from "@std/assert";
import { FileSystemError } from "../../lib/filesystem/filesystem.ts";
import { WriteClaims } from "../../lib/filesystem/write_claims.ts";

Deno.test("WriteClaims.claim() refuses a second claim on a file until the first is released", () => {
  const claims = new WriteClaims();
  const first = claims.claim("a");
  assertStrictEquals(assertThrows(() => claims.claim("a"), FileSystemError).kind, "busy");
  using _other = claims.claim("b");
  first[Symbol.dispose]();
  using _second = claims.claim("a");
});

Deno.test("WriteClaims.claim() releases once, never the claim of a later writer", () => {
  const claims = new WriteClaims();
  const first = claims.claim("a");
  first[Symbol.dispose]();
  using _second = claims.claim("a");
  first[Symbol.dispose]();
  assertThrows(() => claims.claim("a"), FileSystemError);
});
