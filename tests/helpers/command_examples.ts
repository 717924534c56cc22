/**
 * Lines for each row of the command table, so that tests can walk it.
 *
 * @module
 */

import type { CommandSpec } from "../../lib/commands/command.ts";

/** Stands in an example for the pathname. */
const PATHNAME = "{}";

/** Arguments that make sense. A row that may do without one needs an example all the same. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  USER: ["user"],
  PASS: ["12345"],
  AUTH: ["TLS"],
  PBSZ: ["0"],
  PROT: ["P"],
  CWD: [PATHNAME],
  TYPE: ["I"],
  MODE: ["S"],
  STRU: ["F"],
  EPSV: ["1"],
  PORT: ["127,0,0,1,8,1"],
  EPRT: ["|1|127.0.0.1|2049|"],
  RETR: [PATHNAME],
  STOR: [PATHNAME],
  APPE: [PATHNAME],
  STOU: [PATHNAME],
  ACCT: ["x"],
  HOST: ["ftp.example.com"],
  REST: ["0"],
  ALLO: ["17"],
  AVBL: [PATHNAME],
  LIST: [PATHNAME, `-la ${PATHNAME}`],
  NLST: [PATHNAME, `-1 ${PATHNAME}`],
  MLSD: [PATHNAME],
  MLST: [PATHNAME],
  STAT: [PATHNAME, `-l ${PATHNAME}`],
  DELE: [PATHNAME],
  RNFR: [PATHNAME],
  RNTO: [PATHNAME],
  MKD: [PATHNAME],
  RMD: [PATHNAME],
  SIZE: [PATHNAME],
  MDTM: [PATHNAME, `20010203040506 ${PATHNAME}`],
  MFMT: [`20010203040506 ${PATHNAME}`],
  MFF: [`modify=20010203040506;unix.mode=600; ${PATHNAME}`],
  HASH: [PATHNAME],
  XCRC: [PATHNAME, `${PATHNAME} 0 5`],
  XMD5: [PATHNAME],
  XSHA1: [PATHNAME],
  XSHA256: [PATHNAME],
  XSHA512: [PATHNAME, `"${PATHNAME}" 1`],
  "SITE CHMOD": [`600 ${PATHNAME}`],
  "SITE UTIME": [`200102030405 ${PATHNAME}`, `${PATHNAME} 20010203040506 20010203040506 20010203040506 UTC`],
  "SITE PSWD": ["12345 correct-horse-battery"],
  "SITE UMASK": ["22"],
  OPTS: ["UTF8 ON"],
  LANG: ["en"],
  CLNT: ["ftpsd tests"],
  HELP: ["NOOP"],
  "SITE HELP": ["CHMOD"],
};

/** What goes before a command that has its place in a sequence. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  PASS: ["USER user"],
  RNTO: [`RNFR ${PATHNAME}`],
};

/** Which lines are wanted. */
export interface ExampleOptions {
  /** Verb or alias; default: the verb. */
  readonly name?: string;
  /** Pathname to put in. Absent: `/file`. */
  readonly path?: string;
}

/** Lines with an argument; none for a row that takes no argument. */
export function linesWithArgument(row: CommandSpec, options: ExampleOptions = {}): readonly string[] {
  const { name = row.verb, path = "/file" } = options;
  return argumentsOf(row).map((argument) => `${name} ${argument.replace(PATHNAME, () => path)}`);
}

/** All lines that the row's argument rule lets through. */
export function linesOf(row: CommandSpec, options: ExampleOptions = {}): readonly string[] {
  const withArgument = linesWithArgument(row, options);
  return row.argument === "required" ? withArgument : [options.name ?? row.verb, ...withArgument];
}

/** Lines that must go before, so that the command comes at the right time. */
export function linesBefore(row: CommandSpec, path = "/file"): readonly string[] {
  if (row.sequence === undefined) return [];
  return (BEFORE[row.verb] ?? []).map((line) => line.replace(PATHNAME, () => path));
}

/** The verb and its aliases. */
export function namesOf(row: CommandSpec): readonly string[] {
  return [row.verb, ...row.aliases ?? []];
}

function argumentsOf(row: CommandSpec): readonly string[] {
  if (row.argument === "none") return [];
  const examples = ARGUMENTS[row.verb] ?? [];
  if (examples.length === 0) {
    throw new Error(`${row.verb} has no example argument: give it one in tests/helpers/command_examples.ts`);
  }
  if (row.pathname !== undefined && !examples.every((argument) => argument.includes(PATHNAME))) {
    throw new Error(`${row.verb} takes a pathname, but an example of it has none (${PATHNAME})`);
  }
  return examples;
}
