/**
 * Facts of MLST and MLSD, and times as they and replies have them: RFC 3659 §7, §2.3.
 *
 * @module
 */

/** The facts this server knows, in the order of the FEAT reply (RFC 3659 §7.8). */
export const FACT_NAMES = ["type", "perm", "size", "modify", "unique", "unix.mode", "unix.uid", "unix.gid"] as const;

/** Name of a fact. */
export type FactName = typeof FACT_NAMES[number];

/**
 * Derives the value of the `perm` fact (RFC 3659 §7.5.5) from permission letters. The letters `M` and `T` are beyond
 * the RFC, which lets clients skip what they do not know.
 *
 * @param letters Permission letters of the user.
 * @param type What the entry is; `other` can be neither read, written nor dated. A `link` to a directory can be entered,
 * listed, renamed and deleted as itself; what is in the directory is not purged through it.
 */
export function permFact(letters: string, type: "file" | "directory" | "link" | "other"): string {
  if (type === "file") return letters.replace(/[celmp]/g, "");
  if (type === "link") return letters.replace(/[^eldf]/g, "");
  if (type === "other") return letters.replace(/[celmprawT]/g, "");
  const create = /[waf]/.test(letters) ? "c" : "";
  const purge = letters.includes("d") ? "p" : "";
  return letters.replace(/[arw]/g, "") + create + purge;
}

/** Writes permission bits as value of the `unix.mode` fact: octal with a leading zero, `"0644"`. */
export function modeFact(mode: number): string {
  return `0${mode.toString(8).padStart(3, "0")}`;
}

/**
 * Parses what follows `MLST` in the argument of OPTS (RFC 3659 §7.9): fact names in any case, each with a `;` behind
 * it; the `*` of the chosen ones in FEAT, which some clients send back, means nothing.
 *
 * @param argument Empty when nothing follows: no facts.
 * @returns The known ones among them in the client's order, each once; `undefined` when the form is wrong.
 */
export function parseFactSelection(argument: string): readonly FactName[] | undefined {
  if (argument !== "" && !argument.includes(";")) return undefined;
  return [...new Set(argument.toLowerCase().split(";").map((name) => name.replace(/\*$/, "")))].filter(isFactName);
}

/** What an argument of MFF asks to change. */
export interface FactChanges {
  /** Time of last modification. */
  readonly modified?: Date;
  /** Permission bits, 0 to 0o777. */
  readonly mode?: number;
  /** The first fact that cannot be changed, in the client's spelling. */
  readonly unknown?: string;
}

/**
 * Parses `modify=…;unix.mode=…;` as MFF has it (draft-somers-ftp-mfxx-04 §5.1); names in any case.
 *
 * @returns `undefined` when the form or a value is wrong.
 */
export function parseFactChanges(text: string): FactChanges | undefined {
  if (!/^(?:[^=;]+=[^=;]*;)+$/.test(text)) return undefined;
  let changes: FactChanges = {};
  for (const fact of text.slice(0, -1).split(";")) {
    const [name = "", value = ""] = fact.split("=");
    const change = parseFactChange(name, value);
    if (change === undefined) return undefined;
    changes = { ...changes, ...change };
  }
  return changes;
}

function parseFactChange(name: string, value: string): FactChanges | undefined {
  switch (name.toLowerCase()) {
    case "modify": {
      const modified = parseTimeValue(value);
      return modified && { modified };
    }
    case "unix.mode":
      return /^0?[0-7]{3}$/.test(value) ? { mode: Number.parseInt(value, 8) } : undefined;
    default:
      return { unknown: name };
  }
}

/** Writes all facts for the FEAT reply, those that are selected with a `*` (RFC 3659 §7.8). */
export function formatFeatureFacts(selected: readonly FactName[]): string {
  return FACT_NAMES.map((name) => selected.includes(name) ? `${name}*;` : `${name};`).join("");
}

function isFactName(name: string): name is FactName {
  return (FACT_NAMES as readonly string[]).includes(name);
}

/** How a time is shown. */
export interface TimeOptions {
  /**
   * Whether the time of the server's zone is shown instead of UTC. RFC 3659 knows UTC only.
   *
   * @default {false}
   */
  readonly local?: boolean | undefined;
}

/**
 * Writes a time as `YYYYMMDDHHMMSS`; fractions of a second are cut off.
 *
 * @returns `undefined` when the date is invalid or its year is not within 0 to 9999.
 */
export function formatTimeValue(date: Date, options: TimeOptions = {}): string | undefined {
  const clock = wallClock(date, options);
  const year = clock.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) return undefined;
  // Written by hand: a listing has one for each entry, and toISOString() takes several times as long.
  const day = year * 10_000 + (clock.getUTCMonth() + 1) * 100 + clock.getUTCDate();
  const time = clock.getUTCHours() * 10_000 + clock.getUTCMinutes() * 100 + clock.getUTCSeconds();
  return String(day).padStart(8, "0") + String(time).padStart(6, "0");
}

/**
 * Parses `YYYYMMDDHHMMSS` with an optional fraction, cut off at milliseconds, as UTC. The leap second 60 is taken as
 * the second after 59.
 *
 * @returns `undefined` when the form is wrong or the calendar or the clock has no such time.
 */
export function parseTimeValue(text: string): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // A day or month that does not exist runs over into another month.
  if (date.getUTCMonth() !== month - 1) return undefined;
  const milliseconds = Number((match[7] ?? "").slice(0, 3).padEnd(3, "0"));
  date.setUTCHours(hour, minute, second, milliseconds);
  return date;
}

/** Returns a date whose UTC fields are what the clock shows: the date itself, or shifted to the server's zone. */
export function wallClock(date: Date, options: TimeOptions = {}): Date {
  return options.local === true ? new Date(date.getTime() - date.getTimezoneOffset() * 60_000) : date;
}
