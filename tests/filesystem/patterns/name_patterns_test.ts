import { assert, assertLess, assertThrows } from "@std/assert";
import { NamePatterns } from "../../../lib/filesystem/patterns/name_patterns.ts";

Deno.test("NamePatterns.matches() takes a dot at the start as any other character", () => {
  const programs = new NamePatterns(["*.exe"]);
  for (const name of [".exe", "a.exe", ".a.exe", "a.b.exe"]) assert(programs.matches(name), name);
  for (const name of ["exe", "a.exe.txt", "aexe", "a.exes"]) assert(!programs.matches(name), name);
  const dots = new NamePatterns([".*"]);
  for (const name of [".git", ".", "..."]) assert(dots.matches(name), name);
  assert(!dots.matches("a.git"));
});

Deno.test("NamePatterns.matches() is not misled by other spellings of a name", () => {
  const patterns = new NamePatterns(["*.exe", "secret", "Straße", "é*", "ΟΔΟΣ"]);
  for (
    const name of [
      "A.EXE",
      "a.ExE",
      "a.exe.",
      "a.exe . ",
      "a.ex\u200be",
      "a.exe\u200d",
      "a.\u202eexe",
      "SECRET",
      "\u017fecret", // long s
      "se\u00adcret",
      "STRASSE",
      "strasse",
      "STRA\u1e9eE",
      "\u00c9t\u00e9",
      "e\u0301t\u00e9",
      "E\u0301",
      "οδος",
      "οδοσ",
    ]
  ) assert(patterns.matches(name), JSON.stringify(name));
  for (const name of ["a.exé", "secrets", "ete", "a.exe.txt"]) assert(!patterns.matches(name), name);
  assert(new NamePatterns(["[a-c]x"]).matches("BX"));
  assert(!new NamePatterns(["[!a-c]x"]).matches("BX"));
});

Deno.test("NamePatterns.matchWithin() looks at each component of a path", () => {
  const patterns = new NamePatterns([".*"]);
  for (const path of ["/.a", "/x/.a", "/.a/x", "/x/.a/y/z"]) assert(patterns.matchWithin(path), path);
  for (const path of ["/", "/x", "/x.y/z."]) assert(!patterns.matchWithin(path), path);
  assert(new NamePatterns(["*"]).matchWithin("/x"));
  assert(!new NamePatterns(["*"]).matchWithin("/"));
});

Deno.test("NamePatterns takes time in proportion to name and pattern, however many stars there are", () => {
  const patterns = new NamePatterns([`${"*a".repeat(100)}b`, `${"*a*?".repeat(50)}b`, `*${"a".repeat(200)}b`]);
  const name = "a".repeat(4000);
  patterns.matches(name);
  const startedAt = performance.now();
  for (let count = 0; count < 20; count++) assert(!patterns.matches(name));
  assertLess((performance.now() - startedAt) / 20, 200);
});

Deno.test("NamePatterns takes time in proportion to a name with dots and spaces before its end", () => {
  const patterns = new NamePatterns(["a"]);
  const name = `${". ".repeat(100_000)}x`;
  const startedAt = performance.now();
  assert(!patterns.matches(name));
  assertLess(performance.now() - startedAt, 1000); // looked at from each dot on it is a minute
});

Deno.test("NamePatterns refuses what could match no name", () => {
  for (const pattern of ["", "a/b", "a\n", "\0"]) assertThrows(() => new NamePatterns([pattern]), SyntaxError);
  assert(new NamePatterns([]).isEmpty);
  assert(!new NamePatterns([]).matches("x"));
});
