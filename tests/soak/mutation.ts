/**
 * Command lines and TLS records as nobody should send them.
 *
 * @module
 */

import { COMMANDS } from "../../lib/commands/table.ts";
import { linesOf, namesOf } from "../helpers/command_examples.ts";
import type { Random } from "./random.ts";

const encoder = new TextEncoder();

const PATHS = [
  "/file",
  "dir",
  "dir/file",
  "/",
  "..",
  "../../etc/passwd",
  ".",
  "new",
  "näme",
  '"q"',
  " ",
  "-la",
  "~",
  "*",
];

const FURTHER_LINES = [
  "OPTS MLST type;size;modify;",
  "OPTS UTF8 OFF",
  "EPSV ALL",
  "EPSV 2",
  "TYPE A N",
  "TYPE L 8",
  "PROT C",
  "MODE Z",
  "STRU R",
  "REST 18446744073709551616",
  "SITE EXEC ls",
  "SITE",
  "XNONE such",
  "",
];

/** Lines of each row of the command table under all its names, and of some that clients send, too. */
const LINES: readonly (readonly Uint8Array[])[] = [
  ...COMMANDS.filter(({ verb }) => verb !== "SITE").map((row) =>
    namesOf(row).flatMap((name) => PATHS.flatMap((path) => linesOf(row, { name, path })))
  ),
  FURTHER_LINES,
].map((lines) => lines.map((line) => encoder.encode(line)));

/** Lines that end a session, or lead it elsewhere, and so would hide the others. */
const ENDING_REGEXP = /^(?:QUIT|REIN|USER|AUTH|CCC)/;
const ENDING_KEPT_ONE_IN = 30;

const SPECIAL_BYTES = [
  0,
  1,
  8,
  9,
  10,
  13,
  27,
  32,
  34,
  37,
  42,
  46,
  47,
  58,
  92,
  124,
  127,
  128,
  0xc3,
  0xed,
  0xf2,
  0xf4,
  255,
];
const SPECIAL_TEXTS = [
  "../",
  "..\\",
  "/./",
  "//",
  "%2e%2e%2f",
  "%n%s",
  "\xff\xf4\xff\xf2",
  "\r\n",
  "\r",
  "\0",
  "-1",
  "0",
  "2147483648",
  "9007199254740993",
  "1e99",
  "NaN",
  "19700101000000",
  "99999999999999",
  ",,,,,",
  "|||",
  "|2|::1|1|",
  "127,0,0,1,0,21",
  "ABOR\r",
].map((text) => Uint8Array.from(text, (character) => character.charCodeAt(0)));

/** Beyond the longest line that the server takes. */
const LONG_BYTES = 5000;

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => changed(bytes, random, (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => changed(bytes, random, () => random.pick(SPECIAL_BYTES)),
  (bytes, random) => spliced(bytes, random, random.bytes(1 + random.below(8))),
  (bytes, random) => spliced(bytes, random, random.pick(SPECIAL_TEXTS)),
  (bytes, random) => spliced(bytes, random, random.pick(random.pick(LINES))),
  (bytes, random) => bytes.slice(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.slice(random.below(bytes.length + 1)),
  (bytes, random) => spliced(bytes, random, repeated(bytes, 2 + random.below(8))),
  (bytes, random) => random.oneIn(20) ? spliced(bytes, random, new Uint8Array(LONG_BYTES).fill(0x41)) : bytes,
];

/** A command line with its end, and up to three mutations. */
export function mutatedLine(random: Random): Uint8Array {
  const line = mutated(pickLine(random), random);
  const end = random.oneIn(20) ? random.pick(["\n", "\r\r\n", "\r\0", "\n\r", ""]) : "\r\n";
  return concatenated([line, encoder.encode(end)]);
}

/** Bytes with up to three mutations. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let result = bytes;
  for (let times = random.below(4); times > 0; times--) result = random.pick(MUTATIONS)(result, random);
  return result;
}

/** A TLS record (RFC 8446 §5.1) of any type, version and content, whose length need not be true. */
export function randomRecord(random: Random): Uint8Array {
  const content = random.bytes(random.below(64));
  const length = random.oneIn(3) ? random.below(65536) : content.length;
  const type = random.pick([20, 21, 22, 23, 24, random.below(256)]);
  return concatenated([Uint8Array.of(type, 3, random.below(5), length >> 8, length & 255), content]);
}

/** All bytes in one. */
export function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function pickLine(random: Random): Uint8Array {
  for (;;) {
    const line = random.pick(random.pick(LINES));
    const isEnding = ENDING_REGEXP.test(String.fromCharCode(...line.subarray(0, 4)));
    if (!isEnding || random.oneIn(ENDING_KEPT_ONE_IN)) return line;
  }
}

function changed(bytes: Uint8Array, random: Random, change: (byte: number) => number): Uint8Array {
  if (bytes.length === 0) return bytes;
  const at = random.below(bytes.length);
  return bytes.with(at, change(bytes[at] ?? 0));
}

function spliced(bytes: Uint8Array, random: Random, inserted: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  return concatenated([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  return concatenated(Array.from({ length: times }, () => bytes));
}
