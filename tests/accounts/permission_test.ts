import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  ALL_PERMISSIONS,
  assertPermissions,
  hasWritePermission,
  READ_PERMISSIONS,
  WRITE_PERMISSIONS,
} from "../../lib/accounts/permission.ts";

Deno.test("permission letters are those of pyftpdlib", () => {
  assertEquals([READ_PERMISSIONS, WRITE_PERMISSIONS, ALL_PERMISSIONS], ["elr", "adfmwMT", "elradfmwMT"]);
});

Deno.test("assertPermissions() accepts every letter, in any order and number, and none", () => {
  for (const letters of [...ALL_PERMISSIONS, ALL_PERMISSIONS, "rle", "ee", ""]) assertPermissions(letters);
});

Deno.test("assertPermissions() refuses any other character and names it", () => {
  for (const letter of ["E", "x", "t", "-", " ", "é", "😀"]) {
    assertThrows(
      () => assertPermissions(`el${letter}r`),
      SyntaxError,
      `Cannot use permissions "el${letter}r": "${letter}" is not one of elradfmwMT`,
    );
  }
});

Deno.test("hasWritePermission() is true exactly when a letter of adfmwMT is among them", () => {
  for (const letter of WRITE_PERMISSIONS) assert(hasWritePermission(`elr${letter}`), letter);
  for (const letters of ["", "e", "l", "r", "elr"]) assert(!hasWritePermission(letters), letters);
});
