import { assert, assertEquals } from "@std/assert";
import {
  baseName,
  hasForbiddenCharacter,
  isWithin,
  joinPathname,
  parentPath,
  quotePathname,
  relativePathname,
  resolvePathname,
} from "../../lib/protocol/pathname.ts";

const RESOLVED: readonly (readonly [directory: string, pathname: string, path: string])[] = [
  ["/", "", "/"],
  ["/a", "", "/a"],
  ["/", "/", "/"],
  ["/a", "/", "/"],
  ["/", "a", "/a"],
  ["/a/b", "c", "/a/b/c"],
  ["/a/b", "/c", "/c"],
  ["/a", ".", "/a"],
  ["/a", "./b/.", "/a/b"],
  ["/a/b", "..", "/a"],
  ["/a/b", "../c", "/a/c"],
  ["/a", "b/../../c", "/c"],
  ["/", "..", "/"],
  ["/a", "../../../..", "/"],
  ["/a", "../../../etc/passwd", "/etc/passwd"],
  ["/", "/../../x", "/x"],
  ["/a", "//b", "/b"],
  ["/a", "b//c///", "/a/b/c"],
  ["/a", "///", "/"],
  ["/a", "b/", "/a/b"],
  ["/a", "...", "/a/..."],
  ["/a", "..b/.c", "/a/..b/.c"],
  ["/a", "~", "/a/~"],
  ["/a", "~root/x", "/a/~root/x"],
  ["/a", "..\\..\\b", "/a/..\\..\\b"],
  ["/a", " b ", "/a/ b "],
  ["/a", "%2e%2e/c:", "/a/%2e%2e/c:"],
];

for (const [directory, pathname, path] of RESOLVED) {
  Deno.test(`resolvePathname() leads from ${directory} by "${pathname}" to ${path}`, () => {
    assertEquals(resolvePathname(directory, pathname), path);
  });
}

Deno.test("resolvePathname() returns normalised paths that stay as they are", () => {
  const components = ["", ".", "..", "a", "b"];
  for (const first of components) {
    for (const second of components) {
      for (const third of components) {
        const path = resolvePathname("/x", `${first}/${second}/${third}`);
        assert(/^\/$|^(\/[abx])+$/.test(path), path);
        assertEquals(resolvePathname("/elsewhere", path), path);
      }
    }
  }
});

Deno.test("hasForbiddenCharacter() finds CR, LF and NUL, and nothing else", () => {
  for (const character of ["\r", "\n", "\0"]) assert(hasForbiddenCharacter(`a${character}b`));
  for (const name of ["", "a b", "\t", "\x1b", "\x7f", "\u2028", '"\\;', "ä☃"]) assert(!hasForbiddenCharacter(name));
});

Deno.test("baseName() returns the last component", () => {
  assertEquals(["/", "/a", "/a/b c"].map(baseName), ["", "a", "b c"]);
});

Deno.test("parentPath() returns the directory, and the root for the root", () => {
  assertEquals(["/", "/a", "/a/b", "/a/b/c"].map(parentPath), ["/", "/", "/a", "/a/b"]);
});

Deno.test("joinPathname() puts one slash between directory and name", () => {
  assertEquals(joinPathname("/", "a"), "/a");
  assertEquals(joinPathname("/a", "b"), "/a/b");
});

Deno.test("isWithin() is true for the directory itself and all below it", () => {
  assert(isWithin("/", "/"));
  assert(isWithin("/", "/a"));
  assert(isWithin("/a", "/a"));
  assert(isWithin("/a", "/a/b/c"));
});

Deno.test("isWithin() compares whole components", () => {
  assert(!isWithin("/a", "/"));
  assert(!isWithin("/a", "/ab"));
  assert(!isWithin("/a", "/a@/b"));
  assert(!isWithin("/a/b", "/a"));
  assert(!isWithin("/a", "/A"));
});

Deno.test("quotePathname() doubles quotes", () => {
  assertEquals(quotePathname("/"), '"/"');
  assertEquals(quotePathname('/a "b"'), '"/a ""b"""');
});

Deno.test("relativePathname() returns the pathname that resolvePathname() takes back", () => {
  const pathnames = [
    ["/", "/", "."],
    ["/", "/a/b", "a/b"],
    ["/a", "/a", "."],
    ["/a", "/", ".."],
    ["/a/b", "/a/c/d", "../c/d"],
    ["/a/b/c", "/a", "../.."],
    ["/ab", "/a", "../a"],
  ] as const;
  for (const [directory, path, pathname] of pathnames) {
    assertEquals(relativePathname(directory, path), pathname);
    assertEquals(resolvePathname(directory, pathname), path);
  }
});
