/**
 * From the text of a configuration file to a configuration, or to all that is wrong with it.
 *
 * @module
 */

import { parse, YamlSyntaxError } from "@std/yaml";
import { ConfigurationError, errorAt, type Finding } from "./finding.ts";
import { resolvePaths } from "./host_paths.ts";
import { CONFIGURATION, type Configuration } from "./table.ts";
import { resolveConfiguration, validate } from "./validate.ts";
import { findLine, readPositions } from "./yaml_position.ts";

/** Where a text comes from. */
export interface ConfigurationSource {
  /** File name for messages. */
  readonly file: string;
  /** Makes a path of the file absolute: relative ones start from the file's folder. */
  readonly resolve: (path: string) => string;
  /** Puts in what goes before the file, as the options of the command line do; what results is judged, too. */
  readonly override?: (given: object) => object;
}

/** Characters of a file that is read. */
const MAX_LENGTH = 4 * 2 ** 20;
/** Values that a file may stand for, those of an alias counted each time. */
const MAX_VALUES = 1_000_000;

/**
 * Decodes the bytes of a configuration file. Other encodings are refused: names, homes and passwords would change silently.
 *
 * @throws {ConfigurationError} When they are not UTF-8, with the line.
 */
export function decodeConfiguration(bytes: Uint8Array, file: string): string {
  const line = findUndecodableLine(bytes);
  if (line === undefined) return new TextDecoder().decode(bytes);
  throw new ConfigurationError([{ ...errorAt([], "not UTF-8; save the file in UTF-8"), place: { file, line } }]);
}

/**
 * Reads a configuration.
 *
 * @throws {ConfigurationError} With everything that is wrong with the file, or with what results.
 */
export function readConfiguration(
  text: string,
  { file, resolve, override = same }: ConfigurationSource,
): Configuration {
  const given = parseText(text, file) ?? {};
  try {
    const { findings } = validate(CONFIGURATION, given);
    if (findings !== undefined) throw new ConfigurationError(findings);
    return resolveConfiguration(override(resolvePaths(CONFIGURATION, given, resolve) as object));
  } catch (error) {
    if (error instanceof ConfigurationError) throw new ConfigurationError(place(error.findings, text, file));
    throw error;
  }
}

function same(given: object): object {
  return given;
}

/** Finds the lines of findings and puts them in the order of the file. */
function place(findings: readonly Finding[], text: string, file: string): Finding[] {
  const positions = readPositions(text);
  return findings
    .map((finding) => ({ ...finding, place: { file, line: findLine(positions, finding.path) } }))
    .sort((one, other) => (one.place.line ?? 0) - (other.place.line ?? 0));
}

function parseText(text: string, file: string): unknown {
  const fail = (message: string, line?: number, cause?: unknown): never => {
    throw new ConfigurationError([{ ...errorAt([], message), place: { file, line } }], { cause });
  };
  if (text.length > MAX_LENGTH) fail(`is longer than ${MAX_LENGTH} characters`);
  const tab = text.split(/\r\n|\r|\n/).findIndex((line) => /^ *\t[ \t]*[^ \t]/.test(line));
  if (tab >= 0) fail("not YAML: a tab at the start of a line; indent with spaces", tab + 1);
  try {
    const raw = parse(text, { schema: "core" });
    if (countValues(raw, MAX_VALUES) > MAX_VALUES) fail(`stands for more than ${MAX_VALUES} values; use fewer aliases`);
    return raw;
  } catch (cause) {
    if (cause instanceof YamlSyntaxError) {
      // The end of the text counts as a line of its own after the last.
      const lines = text.trimEnd().split(/\r\n|\r|\n/).length;
      fail(`not YAML: ${reasonOf(cause)}`, Math.min(cause.line, lines), cause);
    }
    if (cause instanceof RangeError) fail("not YAML: it is nested too deeply", undefined, cause);
    throw cause;
  }
}

/** Counts what is in a value, up to a little more than `most`; a value may be within itself. */
function countValues(value: unknown, most: number): number {
  const waiting: unknown[] = [value];
  let seen = 0;
  while (waiting.length > 0 && seen + waiting.length <= most) {
    const next = waiting.pop();
    seen++;
    if (typeof next === "object" && next !== null) { for (const part of Object.values(next)) waiting.push(part); }
  }
  return seen + waiting.length;
}

/** What the parser says, in words that tell what to do where it often goes wrong. */
const REASONS: readonly (readonly [said: RegExp, meant: string])[] = [
  [/duplicated (?:mapping )?key/, "a key is given twice"],
  [/unidentified alias/, "an alias of nothing; put text that begins with * in quotes"],
  [/unknown tag/, "an unknown tag; put text that begins with ! in quotes"],
  [/single document/, "a second document"],
  [/maxDepth/, "it is nested too deeply"],
];

/** The reason of a syntax error. What the parser quotes is left out, because it may be a password. */
function reasonOf({ message, column }: YamlSyntaxError): string {
  const known = REASONS.find(([said]) => said.test(message));
  if (known !== undefined) return known[1];
  const said = message.split("\n", 1)[0]?.replace(/ at line \d+, column \d+:?$/, "").replace(/"[^"]*"|<[^>]*>/g, "…");
  return `${said}, column ${column}`;
}

const LINE_FEED = 10;

/** The first line, from 1, that is not UTF-8. */
function findUndecodableLine(bytes: Uint8Array): number | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let start = 0;
  let line = 1;
  while (start < bytes.length) {
    const end = bytes.indexOf(LINE_FEED, start);
    const next = end < 0 ? bytes.length : end + 1;
    try {
      decoder.decode(bytes.subarray(start, next));
    } catch {
      return line;
    }
    start = next;
    line++;
  }
  return undefined;
}
