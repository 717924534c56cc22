import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ALL_PERMISSIONS,
  assertAnonymousReadOnly,
  assertOverride,
  assertPermissions,
  findPermissions,
  hasWritePermission,
  InsecureConfigurationError,
  type PermissionOverride,
  READ_PERMISSIONS,
  WRITE_PERMISSIONS,
} from "../../lib/accounts/permission.ts";
import { FileSystemError } from "../../lib/filesystem/filesystem.ts";
import { makeTree } from "./directory_tree.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

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

const TREE = makeTree(["/", "/a", "/a/b", "/a/b/c", "/a@"]);

async function assertFound(
  overrides: readonly PermissionOverride[],
  expected: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, permissions] of Object.entries(expected)) {
    assertEquals(
      await findPermissions({ permissions: "elr", overrides, fileSystem: TREE }, path, UNABORTED),
      permissions,
      path,
    );
  }
}

Deno.test("findPermissions() returns the account's letters where no override is", async () => {
  await assertFound([], { "/": "elr", "/a": "elr", "/a/file.txt": "elr" });
});

Deno.test("findPermissions() holds a recursive override for the directory and all below", async () => {
  await assertFound([{ path: "/a", permissions: "elw", recursive: true }], {
    "/": "elr",
    "/a": "elw",
    "/a/file.txt": "elw",
    "/a/new": "elw",
    "/a/b": "elw",
    "/a/b/c/file.txt": "elw",
    "/b": "elr",
  });
});

Deno.test("findPermissions() holds any other override for the directory and what is no directory directly in it", async () => {
  const expected = {
    "/": "elr",
    "/a": "elw",
    "/a/file.txt": "elw",
    "/a/new": "elw",
    "/a/b": "elr",
    "/a/b/file.txt": "elr",
    "/a/b/c": "elr",
  };
  await assertFound([{ path: "/a", permissions: "elw" }], expected);
  await assertFound([{ path: "/a", permissions: "elw", recursive: false }], expected);
});

Deno.test("findPermissions() compares by component, letter by letter", async () => {
  for (const recursive of [true, false]) {
    const overrides = [{ path: "/a", permissions: "elw", recursive }];
    await assertFound(overrides, { "/a@": "elr", "/ab": "elr", "/a.txt": "elr", "/A": "elr", "/A/file.txt": "elr" });
  }
});

Deno.test("findPermissions() takes overrides of the root for the root", async () => {
  await assertFound([{ path: "/", permissions: "l" }], {
    "/": "l",
    "/file.txt": "l",
    "/a": "elr",
    "/a/file.txt": "elr",
  });
  await assertFound([{ path: "/", permissions: "l", recursive: true }], { "/": "l", "/a": "l", "/a/b/file.txt": "l" });
});

Deno.test("findPermissions() lets the deepest override win, in whatever order they were set", async () => {
  const overrides = [
    { path: "/a", permissions: "elw", recursive: true },
    { path: "/a/b", permissions: "", recursive: true },
    { path: "/a/b/c", permissions: "r", recursive: true },
  ];
  const expected = { "/a/x/y": "elw", "/a/b": "", "/a/b/file.txt": "", "/a/b/c": "r", "/a/b/c/d/e": "r" };
  await assertFound(overrides, expected);
  await assertFound(overrides.toReversed(), expected);
});

Deno.test("findPermissions() goes on to the next deepest override where the deepest does not hold", async () => {
  const overrides = [
    { path: "/a", permissions: "elw", recursive: true },
    { path: "/a/b", permissions: "l" },
  ];
  const expected = { "/a/b": "l", "/a/b/file.txt": "l", "/a/b/c": "elw", "/a/b/c/file.txt": "elw" };
  await assertFound(overrides, expected);
  await assertFound(overrides.toReversed(), expected);
});

Deno.test("findPermissions() takes what is below a file for no directory", async () => {
  const fileSystem = {
    ...TREE,
    stat: () => Promise.reject(new FileSystemError("notDirectory", "Below a file")),
  };
  const rights = { permissions: "elr", overrides: [{ path: "/file", permissions: "w" }], fileSystem };
  assertEquals(await findPermissions(rights, "/file/below", UNABORTED), "w");
});

Deno.test("findPermissions() passes on a failure that leaves the matter open", async () => {
  const fileSystem = {
    ...TREE,
    stat: () => Promise.reject(new FileSystemError("permissionDenied", "Not to be read")),
  };
  const rights = { permissions: "elr", overrides: [{ path: "/a", permissions: "w" }], fileSystem };
  const error = await assertRejects(() => findPermissions(rights, "/a/b", UNABORTED), FileSystemError);
  assertEquals(error.kind, "permissionDenied");
  assertEquals(await findPermissions(rights, "/a", UNABORTED), "w");
});

Deno.test("findPermissions() takes the last override of a path, and none of the earlier ones", async () => {
  await assertFound([{ path: "/a", permissions: "l", recursive: true }, { path: "/a", permissions: "w" }], {
    "/a": "w",
    "/a/file.txt": "w",
    "/a/b": "elr",
    "/a/b/file.txt": "elr",
  });
});

Deno.test("assertOverride() accepts absolute and normalised paths", () => {
  for (const path of ["/", "/a", "/a/b c", "/~", "/a\\b", "/..."]) assertOverride({ path, permissions: "" });
});

Deno.test("assertOverride() refuses other paths, and unknown letters", () => {
  for (const path of ["", "a", "./a", "/a/", "//a", "/a//b", "/a/../b", "/./a", "/..", "/a\n", "/a\r", "/\0"]) {
    assertThrows(
      () => assertOverride({ path, permissions: "elr" }),
      SyntaxError,
      `Cannot override permissions of ${JSON.stringify(path)}: it must be absolute`,
    );
  }
  assertThrows(() => assertOverride({ path: "/a", permissions: "elx" }), SyntaxError, '"x" is not one of');
});

Deno.test("assertAnonymousReadOnly() accepts the letters that change nothing", () => {
  for (const letters of ["", "e", "l", "r", "elr"]) assertAnonymousReadOnly(letters);
});

Deno.test("assertAnonymousReadOnly() names the letter and the way out", () => {
  const error = assertThrows(() => assertAnonymousReadOnly("elrw"), InsecureConfigurationError);
  assertEquals(error.risk, "anonymous-write");
  assertEquals(
    error.message,
    'Cannot give anonymous the permissions "elrw": "w" lets anybody write; remove it, or set forceWrite',
  );
});

Deno.test("assertAnonymousReadOnly() names each of several letters", () => {
  assertThrows(
    () => assertAnonymousReadOnly("elTra"),
    InsecureConfigurationError,
    'Cannot give anonymous the permissions "elTra": "a", "T" let anybody write; remove them, or set forceWrite',
  );
});
