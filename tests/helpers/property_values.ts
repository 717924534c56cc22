/**
 * Random values of the protocol.
 *
 * @module
 */

import fc from "fast-check";

/** What clients and people put into names, and what parsers stumble over. */
const NAME_PARTS = [
  " ",
  "  ",
  ".",
  "..",
  "...",
  ";",
  "=",
  '"',
  '""',
  "'",
  "\\",
  "..\\",
  "~",
  "*",
  "?",
  "[",
  "-",
  " -> ",
  "%2e%2e",
  "%00",
  ":",
  "|",
  "\t",
  "\x1b[31m",
  "\x7f",
  "\u0085",
  "\u00a0",
  "\u2028",
  "\ufeff",
  "ä",
  "a\u0308",
  "☃",
  "😀",
  "size=0;",
  "type=dir; x",
  "226 ",
  "Jan 01  2020 ",
] as const;

/** Any character but half of a surrogate pair. */
const CHARACTER = fc.nat({ max: 0x10ffff - 0x800 }).map((code) => {
  return String.fromCodePoint(code < 0xd800 ? code : code + 0x800);
});

/** Names that objects have of their own. */
const INHERITED = ["__proto__", "constructor", "toString"] as const;

/** Any text. The unit `binary` of fast-check has the same characters, and takes a second for each such arbitrary. */
export function anyText(
  limits: { readonly minLength?: number; readonly maxLength?: number } = {},
): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 19, arbitrary: fc.string({ unit: CHARACTER, ...limits }) },
    { weight: 1, arbitrary: fc.constantFrom(...INHERITED).map((name) => name.slice(0, limits.maxLength)) },
  );
}

/** One component of a path, as a file system may have it: not empty, `.` or `..`, without `/`, CR, LF and NUL. */
export function fileName(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.array(fc.oneof(fc.constantFrom(...NAME_PARTS), fc.string({ unit: "grapheme", maxLength: 4 })), {
      minLength: 1,
      maxLength: 6,
    }).map((parts) => parts.join("")),
    anyText({ minLength: 1, maxLength: 12 }),
  )
    .map((name) => name.replace(/[/\r\n\0]/g, "_"))
    .filter((name) => name !== "" && name !== "." && name !== "..");
}

/** A virtual path: absolute and normalised. */
export function virtualPath(): fc.Arbitrary<string> {
  return fc.array(fileName(), { maxLength: 5 }).map((names) => `/${names.join("/")}`);
}

/** A pathname as a client may send it: relative or absolute, with detours. */
export function clientPathname(): fc.Arbitrary<string> {
  const component = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("..", ".", "") },
    { weight: 2, arbitrary: fileName() },
    { weight: 1, arbitrary: anyText({ maxLength: 8 }) },
  );
  return fc.tuple(fc.constantFrom("", "/", "//"), fc.array(component, { maxLength: 8 }), fc.constantFrom("", "/"))
    .map(([before, components, after]) => before + components.join("/") + after);
}

/** Bytes cut into chunks, some of them empty. */
export function chunked(bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<readonly Uint8Array[]> {
  return fc.tuple(bytes, fc.array(fc.nat(), { maxLength: 12 })).map(([whole, cuts]) => {
    const positions = cuts.map((cut) => cut % (whole.length + 1)).sort((one, other) => one - other);
    return [0, ...positions].map((from, index) => whole.slice(from, positions[index] ?? whole.length));
  });
}

/** Text of parts that are likely to meet, as bytes; each character below 256 is one. */
export function bytesOfParts(parts: readonly string[]): fc.Arbitrary<Uint8Array> {
  const part = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...parts) },
    { weight: 1, arbitrary: fc.nat({ max: 255 }).map((byte) => String.fromCharCode(byte)) },
  );
  return fc.array(part, { maxLength: 24 }).map((texts) => latin1Bytes(texts.join("")));
}

/** Bytes of a string whose characters are all below 256. */
export function latin1Bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The reverse of {@linkcode latin1Bytes}; `TextDecoder` takes `latin1` for windows-1252, which is something else. */
export function latin1Text(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** Joins what was cut. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
}
