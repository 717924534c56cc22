/**
 * From the text of a configuration file to a configuration, or to all that is wrong with it.
 *
 * @module
 */

import { parse, YamlSyntaxError } from "@std/yaml";
import * as v from "valibot";
import type { AccountConfiguration, Configuration } from "./configuration.ts";
import type { KeyPath } from "../settings/key_path.ts";
import { deepFreeze } from "../server/resolve_settings.ts";
import { findContradictions } from "./contradictions.ts";
import { given } from "./given.ts";
import { ConfigurationError, type Problem } from "./problem.ts";
import { CONFIGURATION_SCHEMA, type ConfigurationFile } from "./schema.ts";
import { DEFAULT_WORKERS } from "./worker_count.ts";
import { findUnknownKeys, structureOf } from "./unknown_keys.ts";
import { findLine, readPositions } from "./yaml_position.ts";

/** Where a text comes from. */
export interface ConfigurationSource {
  /** File name for messages. */
  readonly file: string;
  /** Makes a path of the file absolute: relative ones start from the file's folder. */
  readonly resolve: (path: string) => string;
  /** Puts in what goes before the file, as the options of the command line do; what results is judged. */
  readonly override?: (configuration: Configuration) => Configuration;
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
  throw new ConfigurationError([{ file, line, path: [], message: "not UTF-8; save the file in UTF-8" }]);
}

/**
 * Reads a configuration.
 *
 * @throws {ConfigurationError} With every problem of the file, or of what results.
 */
export function readConfiguration(text: string, source: ConfigurationSource): Configuration {
  const raw = parseText(text, source.file);
  const result = v.safeParse(CONFIGURATION_SCHEMA, raw ?? {}, { abortPipeEarly: true });
  const wrong = (result.issues ?? []).filter((issue) => !isUnknownKey(issue)).map(toFault);
  const { override = (configuration) => configuration } = source;
  const configuration = result.success ? override(toConfiguration(result.output, source)) : undefined;
  const contradictions = configuration === undefined
    ? []
    : [...findHalfPair(result.output as ConfigurationFile, configuration), ...findContradictions(configuration)];
  const faults = [...findUnknownKeys(CONFIGURATION_SCHEMA, raw), ...wrong, ...contradictions];
  if (configuration === undefined || faults.length > 0) throw new ConfigurationError(place(faults, text, source.file));
  return configuration;
}

/** A certificate without its key, or the other way round, where nothing goes before them. */
function* findHalfPair({ tls = {} }: ConfigurationFile, { certificateFiles }: Configuration): Generator<Fault> {
  if (certificateFiles !== undefined) return;
  if (tls.certificate !== undefined) yield { path: ["tls", "certificate"], message: "has no key; give tls.key too" };
  if (tls.key !== undefined) yield { path: ["tls", "key"], message: "has no certificate; give tls.certificate too" };
}

/** What is wrong and the key it is about. */
type Fault = Pick<Problem, "path" | "message">;

/** Finds the lines of faults and puts them in the order of the file. */
function place(faults: readonly Fault[], text: string, file: string): Problem[] {
  const positions = readPositions(text);
  return faults
    .map(({ path, message }) => ({ file, line: findLine(positions, path), path, message }))
    .sort((one, other) => (one.line ?? 0) - (other.line ?? 0));
}

function parseText(text: string, file: string): unknown {
  const fail = (message: string, line?: number, cause?: unknown): never => {
    throw new ConfigurationError([{ file, line, path: [], message }], { cause });
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

function toFault(issue: v.BaseIssue<unknown>): Fault {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  return { path, message: isMissingKey(issue) ? missing(path) : issue.message };
}

/** The walk over unknown keys tells them better, and all of them. */
function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === "strict_object" && issue.expected === "never";
}

function isMissingKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === "strict_object" && issue.input === undefined && issue.path !== undefined;
}

/** The message for a key that is missing: what its own form says of nothing. */
function missing(path: KeyPath): string {
  const form = path.reduce<v.GenericSchema>((schema, part) => {
    const { entries, item } = structureOf(schema);
    return (typeof part === "number" ? item : entries?.[part]) ?? v.unknown();
  }, CONFIGURATION_SCHEMA);
  return v.safeParse(form, undefined).issues?.[0].message ?? "is missing";
}

function toConfiguration(file: ConfigurationFile, { resolve }: ConfigurationSource): Configuration {
  const { certificate, key, clientCertificates, ...tls } = file.tls ?? {};
  const { listen, passive, active, banner, encoding, commands, times } = file;
  const { transfer, timeouts, limits, ban, upload } = file;
  return deepFreeze({
    server: given({
      ...{ listen, passive, active, banner, encoding, commands, times },
      ...{ transfer, timeouts, limits, ban, upload, tls },
    }),
    certificateFiles: certificate !== undefined && key !== undefined
      ? { certificate: resolve(certificate), key: resolve(key) }
      : undefined,
    clientCertificates: {
      mode: clientCertificates?.mode ?? "none",
      caFile: clientCertificates?.ca === undefined ? undefined : resolve(clientCertificates.ca),
    },
    users: (file.users ?? []).map((user) => ({
      ...account(user, resolve),
      name: user.name,
      password: user.password,
      limits: user.limits ?? {},
    })),
    anonymous: file.anonymous &&
      { ...account(file.anonymous, resolve), forceWrite: file.anonymous.forceWrite ?? false },
    acceptRisks: file.acceptRisks ?? [],
    workers: file.workers ?? DEFAULT_WORKERS,
    log: {
      format: file.log?.format ?? "pretty",
      level: file.log?.level ?? "info",
      transfers: file.log?.transfers === undefined ? undefined : resolve(file.log.transfers),
    },
  });
}

type AccountFile = NonNullable<ConfigurationFile["anonymous"]> | NonNullable<ConfigurationFile["users"]>[number];

function account(file: AccountFile, resolve: (path: string) => string): AccountConfiguration {
  return {
    home: resolve(file.home),
    permissions: file.permissions ?? "elr",
    overrides: file.overrides ?? [],
    ...given({ loginMessage: file.messages?.login, quitMessage: file.messages?.quit }),
  };
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
