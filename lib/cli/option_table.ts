/**
 * The options of the command line, and how they are read: one row each.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { FLAG_ROWS, type FlagRow } from "../settings/flags.ts";
import { RISK_IDS } from "../settings/risks.ts";
import { UsageError } from "../check/exit_error.ts";

/** One option of the command line. */
export interface OptionRow {
  /** Long name, without dashes. */
  readonly name: string;
  /** Letter, pyftpdlib's where it has one. */
  readonly letter?: string;
  /** Name of the value in the help; absent: a switch. `FILE` and `DIR` are completed with what there is. */
  readonly value?: string;
  /** All values that there are, where they can be listed. */
  readonly choices?: readonly string[];
  /** Whether it may be given several times. */
  readonly repeatable?: true;
  /** One line for the help. */
  readonly help: string;
  /** Whether the short help shows it. */
  readonly isCommon?: true;
}

/** Options about the same thing. */
export interface OptionGroup {
  readonly title: string;
  readonly options: readonly OptionRow[];
}

/** Options that are no settings, by what they are about; those of the settings go before them. */
const OWN_OPTIONS: readonly OptionGroup[] = [
  {
    title: "What to share",
    options: [
      {
        name: "directory",
        letter: "d",
        value: "DIR",
        help: "folder to share, as DIR alone (default: the current one)",
      },
      { name: "write", letter: "w", help: "let the user change files", isCommon: true },
      {
        name: "username",
        letter: "u",
        value: "NAME",
        help: "who may log in; without it anybody may read",
        isCommon: true,
      },
      { name: "password", letter: "P", value: "TEXT", help: "password; others on this host can see it" },
      { name: "password-file", value: "FILE", help: "file with the password, or better its hash", isCommon: true },
      { name: "force-anonymous-write", help: "let anybody change files, with --write and no user" },
    ],
  },
  {
    title: "Where to listen",
    options: [{ name: "implicit-port", value: "PORT", help: "listen there too, with TLS from the first byte" }],
  },
  { title: "TLS", options: [] },
  { title: "Limits", options: [] },
  {
    title: "Configuration",
    options: [
      { name: "config", letter: "c", value: "FILE", help: "YAML file with users and all else", isCommon: true },
      {
        name: "accept-risk",
        value: "ID",
        choices: RISK_IDS,
        repeatable: true,
        help: "accept a risk by its id (ftpsd check --explain ID)",
      },
    ],
  },
  {
    title: "Output",
    options: [
      { name: "verbose", letter: "V", help: "log the protocol dialogue, passwords masked", isCommon: true },
      { name: "debug", letter: "D", help: "the same, and stacks of internal errors" },
      { name: "version", letter: "v", help: "show the version" },
      { name: "help", letter: "h", help: "show a short help; ftpsd help serve shows all" },
    ],
  },
];

/** Options of `ftpsd serve` by what they are about, as the help shows them. */
export const OPTION_GROUPS: readonly OptionGroup[] = OWN_OPTIONS.map(({ title, options }) => ({
  title,
  options: [...FLAG_ROWS.filter(isFirst).filter(({ group }) => group === title).map(optionRow), ...options],
}));

/** Several settings can be set by one option. */
function isFirst({ name }: FlagRow, index: number): boolean {
  return FLAG_ROWS.findIndex((row) => row.name === name) === index;
}

function optionRow({ name, letter, value, choices, help, isCommon, without, ...row }: FlagRow): OptionRow {
  const isSaid = value !== undefined && row.default !== undefined;
  const shown = without ?? (String(row.default).includes(" ") ? JSON.stringify(row.default) : String(row.default));
  return {
    name,
    ...letter && { letter },
    ...value && { value },
    ...value && choices && { choices },
    ...isCommon && { isCommon },
    help: isSaid ? `${help} (default: ${shown})` : help,
  };
}

/** Options of `ftpsd serve`. */
export const SERVE_OPTIONS: readonly OptionRow[] = OPTION_GROUPS.flatMap(({ options }) => options);

/** What stood on the command line. */
export interface ParsedArguments {
  /** Arguments that are no options. */
  readonly operands: readonly string[];
  /** Switches that were given, by long name. */
  readonly switches: ReadonlySet<string>;
  /** Values that were given, by long name. */
  readonly values: ReadonlyMap<string, string>;
  /** Values of repeatable options that were given, by long name. */
  readonly lists: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads the command line by a table.
 *
 * @param hint What to type to see the table.
 * @throws {UsageError} For an unknown option, one whose value is missing or given twice, or a switch with a value that is
 * neither `true` nor `false`.
 */
export function parseArguments(
  args: readonly string[],
  table: readonly OptionRow[] = SERVE_OPTIONS,
  hint = "ftpsd help serve",
): ParsedArguments {
  const namesOf = (rows: readonly OptionRow[]) => rows.map(({ name }) => name);
  checkSwitches(args, table, hint);
  const valued = table.filter(({ value }) => value !== undefined);
  const parsed: Record<string, unknown> = parseArgs(joinValues(args, table), {
    boolean: namesOf(table.filter(({ value }) => value === undefined)),
    string: [...namesOf(valued), "_"],
    collect: namesOf(valued),
    alias: Object.fromEntries(table.flatMap(({ name, letter }) => letter === undefined ? [] : [[name, letter]])),
    unknown: (argument) => {
      if (argument.startsWith("-") && argument !== "-") throw unknownOption(optionOf(argument), namesOf(table), hint);
    },
  });
  const given = valued.flatMap(({ name, repeatable }): [string, string[]][] => {
    const values = [parsed[name] ?? []].flat().map(String);
    if (values.includes("") && name !== "banner") throw new UsageError(`--${name} needs a value`, hint);
    if (values.length > 1 && !repeatable) throw new UsageError(`--${name} is given ${values.length} times`, hint);
    return values.length === 0 ? [] : [[name, values]];
  });
  const misused = table.find(({ name, value }) => value === undefined && typeof (parsed[name] ?? true) !== "boolean");
  if (misused !== undefined) throw new UsageError(`-${misused.letter} is a switch: it takes no value`, hint);
  return {
    operands: (parsed._ as unknown[]).map(String),
    switches: new Set(namesOf(table).filter((name) => parsed[name] === true)),
    values: new Map(given.map(([name, values]) => [name, values.at(-1) ?? ""])),
    lists: new Map(given),
  };
}

/**
 * Joins options with a value in the next word and begins with a dash, as `--config -x.yaml`, which the parser
 * would take for letters. Letters of the table stay options: a value is missing then.
 */
function joinValues(args: readonly string[], table: readonly OptionRow[]): string[] {
  const rowOf = (word: string) =>
    table.find(({ name, letter }) => word === `--${name}` || (letter !== undefined && word === `-${letter}`));
  const joined: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? "";
    if (word === "--") return [...joined, ...args.slice(index)];
    const next = args[index + 1] ?? "";
    const row = rowOf(word);
    const isValue = /^-[^-]/.test(next) && ![...optionOf(next).slice(1)].every((letter) => rowOf(`-${letter}`));
    if (row?.value === undefined || !isValue) joined.push(word);
    else joined.push(`--${row.name}=${args[++index]}`);
  }
  return joined;
}

/**
 * Refuses switches with a value that is neither `true` nor `false`, which the parser would take for `true` or pass over, and
 * `--no-NAME=value`, which it would take for the option itself.
 */
function checkSwitches(args: readonly string[], table: readonly OptionRow[], hint: string): void {
  const end = args.indexOf("--");
  for (const argument of end < 0 ? args : args.slice(0, end)) {
    const [, dashes = "", typed = "", value] = /^(--?)([^-=][^=]*)=(.*)$/s.exec(argument) ?? [];
    if (value === undefined) continue;
    if (dashes === "--" && typed.startsWith("no-")) {
      throw unknownOption(`--${typed}`, table.map(({ name }) => name), hint);
    }
    const row = dashes === "--" ? table.find(({ name }) => name === typed) : undefined;
    if (row === undefined || row.value !== undefined || value === "true" || value === "false") continue;
    throw new UsageError(`--${row.name} is a switch: it takes no value, or true or false`, hint);
  }
}

function unknownOption(option: string, known: readonly string[], hint: string): UsageError {
  const [dashes = "", typed = ""] = /^(--?)(.*)/s.exec(option)?.slice(1) ?? [];
  const unknownWord = dashes === "--" ? { typed, known, before: dashes } : undefined;
  return new UsageError(`unknown option ${option}`, hint, { unknownWord });
}

function optionOf(argument: string): string {
  return argument.split("=", 1)[0] ?? argument;
}

/**
 * Reads the value of an option that has a few.
 *
 * @throws {UsageError} When it is none of them.
 */
export function oneOf<Choice extends string>(
  { values }: Pick<ParsedArguments, "values">,
  name: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = values.get(name);
  if (text === undefined) return undefined;
  const choice = choices.find((choice) => choice === text);
  if (choice !== undefined) return choice;
  throw new UsageError(`"${text}" is not one of ${choices.join(", ")} (--${name})`, undefined, {
    unknownWord: { typed: text, known: choices },
  });
}
