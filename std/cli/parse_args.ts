/**
 * Stand-in for the part of `jsr:@std/cli/parse-args` that the command line uses, on `npm:minimist`, for places that do not
 * reach JSR. `links` in `deno.json` puts it in the package's place; a published package gets the real one.
 *
 * Not covered: `collect` of a boolean option, options with a dot in their name, values of undeclared options that are empty,
 * a dash, repeated, or follow an undeclared `--no-` option, and the precise result types of std, which follow from the
 * options; assign the result to a `Record<string, unknown>` to be right with both.
 *
 * @module
 */

import minimist from "minimist";

/** Options of {@linkcode parseArgs}. */
export interface ParseOptions {
  /** `true`: what follows `--` is found under `"--"`; otherwise at the end of `_`. */
  "--"?: boolean;
  /** Other names of an option. */
  alias?: Readonly<Record<string, string | readonly string[]>>;
  /** Options without a value; `true`: all long ones without `=`. They are `false` when absent. */
  boolean?: boolean | string | readonly string[];
  /** Options that may be repeated; their values are an array. Of others the last value holds. */
  collect?: string | readonly string[];
  /** Values of options that are absent. */
  default?: Readonly<Record<string, unknown>>;
  /** Options that `--no-` before the name sets to `false`. */
  negatable?: string | readonly string[];
  /** `true`: all that follows the first argument that is no option is found in `_`, as it is. */
  stopEarly?: boolean;
  /** Options whose value stays a string; `"_"` stands for the arguments that are no options. */
  string?: string | readonly string[];
  /** Called for each argument that no other option here names; `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** What {@linkcode parseArgs} found: options by name, and the rest. */
export interface Args {
  /** Arguments that are no options; numbers where they look like one, unless `string` has `"_"`. */
  _: (string | number)[];
  /** What follows `--`, if asked for. */
  "--"?: string[];
  [name: string]: unknown;
}

type Parse = (args: readonly string[], options: Readonly<Record<string, unknown>>) => Args;

/** What the options say about names, each with its aliases. */
interface Names {
  readonly boolean: ReadonlySet<string>;
  readonly collect: ReadonlySet<string>;
  readonly negatable: ReadonlySet<string>;
  readonly string: ReadonlySet<string>;
  readonly declared: ReadonlySet<string>;
  aliasesOf(name: string): readonly string[];
}

/** Arguments in a form that minimist understands as std would, and how the changed ones were written. */
interface Rewritten {
  readonly args: readonly string[];
  readonly written: ReadonlyMap<string, string>;
  /** Keys such as `no-color`, of options that are not negatable. */
  readonly flags: ReadonlySet<string>;
}

/**
 * Parses command line arguments.
 *
 * @throws {TypeError} When a boolean option is to be collected, which std can do and this stand-in cannot.
 */
export function parseArgs(args: readonly string[], options: ParseOptions = {}): Args {
  const names = readNames(options);
  const end = args.indexOf("--");
  const before = end < 0 ? args : args.slice(0, end);
  const after = end < 0 ? [] : args.slice(end + 1);

  const settings = {
    alias: options.alias ?? {},
    boolean: options.boolean === true ? true : [...names.boolean],
    default: booleanDefaults(names, options.default ?? {}),
    stopEarly: options.stopEarly ?? false,
    string: [...names.string],
  };
  const parse: Parse = minimist;
  const head = before.length - (options.stopEarly ? parse(before, settings)._.length : 0);
  const { args: rewritten, written, flags } = rewrite(before.slice(0, head), names);
  const unknown: string[] = [];
  const result = parse([...rewritten, ...before.slice(head)], {
    ...settings,
    unknown: (arg: string) => unknown.push(written.get(arg) ?? arg) > 0,
  });

  settleValues(result, names, flags);
  if (options.unknown !== undefined) reportUnknown(result, unknown, names, options.unknown);
  applyDefaults(result, names, options.default ?? {});
  if (options["--"] === true) result["--"] = after;
  else result._.push(...after);
  return result;
}

function readNames(options: ParseOptions): Names {
  const groups = Object.entries(options.alias ?? {}).map(([name, aliases]) => [name, ...toList(aliases)]);
  const aliasesOf = (name: string) => groups.find((group) => group.includes(name))?.filter((it) => it !== name) ?? [];
  const expand = (list: readonly string[]) => new Set(list.flatMap((name) => [name, ...aliasesOf(name)]));
  const boolean = expand(typeof options.boolean === "boolean" ? [] : toList(options.boolean));
  const collect = expand(toList(options.collect));
  const string = expand(toList(options.string));
  const collected = [...boolean].find((name) => collect.has(name));
  if (collected !== undefined) throw new TypeError(`Cannot collect the boolean option "${collected}"`);
  const declared = new Set([...boolean, ...collect, ...string, ...groups.flat()]);
  return { boolean, collect, negatable: expand(toList(options.negatable)), string, declared, aliasesOf };
}

function toList(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}

/** Minimist sets boolean options at once, so that it has to know their defaults. */
function booleanDefaults(names: Names, defaults: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of names.boolean) {
    const given = [name, ...names.aliasesOf(name)].find((it) => defaults[it] !== undefined);
    if (given !== undefined) found[name] = defaults[given];
  }
  return found;
}

/** In std, only `negatable` options are negated by `--no-`, and neither `-` nor an empty argument is a long option's value. */
function rewrite(args: readonly string[], names: Names): Rewritten {
  const written = new Map<string, string>();
  const flags = new Set<string>();
  const rewritten = args.map((arg, index) => {
    const [, no, name = "", value] = /^--(no-)?([^=]+)(=.*)?$/s.exec(arg) ?? [];
    let form = arg;
    if (no !== undefined && value !== undefined) {
      form = `--${name}${value}`;
    } else if (no !== undefined && !names.negatable.has(name)) {
      form = `--no-${name}=true`;
      flags.add(`no-${name}`);
    } else if (no === undefined && value === undefined && names.string.has(name)) {
      form = /^(-|$)/.test(args[index + 1] ?? "") ? `${arg}=` : arg;
    }
    if (form !== arg) written.set(form, arg);
    return form;
  });
  return { args: rewritten, written, flags };
}

/** Minimist makes an array of each repeated option; std of the collected ones, and of those always. */
function settleValues(result: Args, names: Names, flags: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(result)) {
    if (name === "_") continue;
    if (names.collect.has(name)) result[name] = [value].flat();
    else if (Array.isArray(value)) result[name] = value.at(-1);
    if (flags.has(name)) result[name] = true;
  }
}

function reportUnknown(
  result: Args,
  unknown: readonly string[],
  names: Names,
  callback: NonNullable<ParseOptions["unknown"]>,
): void {
  const seen = new Map<string, number>();
  const refused = new Set<string>();
  let position = 0;
  for (const arg of unknown) {
    if (!/^-./s.test(arg)) {
      if (callback(arg) === false) result._.splice(position, 1);
      else position++;
      continue;
    }
    const keys = undeclaredKeys(arg, names);
    const count = seen.get(arg) ?? 0;
    seen.set(arg, count + 1);
    const key = keys[count % keys.length] ?? arg;
    const value = result[key];
    if (callback(arg, key, typeof value === "number" ? String(value) : value) === false) refused.add(key);
  }
  for (const key of refused) delete result[key];
}

/** Names in an option, or in a group of one-letter options, that are not declared. */
function undeclaredKeys(arg: string, names: Names): readonly string[] {
  const [, no = "", name] = /^--(no-)?([^=]+)/.exec(arg) ?? [];
  if (name !== undefined) return [names.negatable.has(name) || arg.includes("=") ? name : no + name];
  const letters = /^-[A-Za-z].*\d(\.\d*)?(e-?\d+)?$/.test(arg)
    ? arg.charAt(1)
    : arg.slice(1).replace(/(?<=.)\W.*/s, "");
  return [...letters].filter((letter) => !names.declared.has(letter));
}

function applyDefaults(result: Args, names: Names, defaults: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(defaults)) {
    if (Object.hasOwn(result, name)) continue;
    for (const it of [name, ...names.aliasesOf(name)]) result[it] = value;
  }
  for (const name of names.collect) {
    if (names.string.has(name) && !Object.hasOwn(result, name)) result[name] = [];
  }
}
