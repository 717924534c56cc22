/**
 * Lines of LIST in the form of `ls -l`, which RFC 959 §4.1.3 leaves open and clients parse.
 *
 * @module
 */

import { type TimeOptions, wallClock } from "./facts.ts";

/** An entry to list, with what is known of it. */
export interface ListEntry {
  /** Without CR, LF and NUL. */
  readonly name: string;
  /** Shown as `-`, `d`, `l` or `p`. */
  readonly type: "file" | "directory" | "link" | "other";
  /** Shown behind the name of a link and `->`, without which libcurl and ftputil cannot read the line. */
  readonly target?: string | undefined;
  /** Bytes. */
  readonly size: number;
  /** Shown as the start of 1970 when unknown. */
  readonly modified?: Date | undefined;
  /** Permission bits; 0o755 for directories and 0o644 for the rest when unknown. */
  readonly mode?: number | undefined;
  /** Hard links; 1 when unknown. */
  readonly links?: number | undefined;
  /** Numeric owner; `ftp` is shown when unknown. */
  readonly uid?: number | undefined;
  /** Numeric group; `ftp` is shown when unknown. */
  readonly gid?: number | undefined;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"] as const;
const HALF_YEAR_MS = 180 * 24 * 60 * 60 * 1000;
/** A FIFO stands for all that is neither file nor directory: clients do not try to fetch it. */
const TYPE_CHARACTERS = { file: "-", directory: "d", link: "l", other: "p" } as const;
const SET_USER_ID = 0o4000;
const SET_GROUP_ID = 0o2000;
const STICKY = 0o1000;

/**
 * Writes one line, without CR LF: mode, links, owner, group, size, time, name.
 *
 * @param now Times up to 180 days before it are shown with hour and minute, older and later ones with the year.
 */
export function formatListLine(entry: ListEntry, now: Date, options: TimeOptions = {}): string {
  const mode = entry.mode ?? (entry.type === "directory" ? 0o755 : 0o644);
  return [
    TYPE_CHARACTERS[entry.type] + formatMode(mode),
    String(entry.links ?? 1).padStart(3),
    String(entry.uid ?? "ftp").padEnd(8),
    String(entry.gid ?? "ftp").padEnd(8),
    String(entry.size).padStart(8),
    formatListTime(entry.modified ?? new Date(0), now, options),
    entry.target === undefined ? entry.name : `${entry.name} -> ${entry.target}`,
  ].join(" ");
}

function formatMode(mode: number): string {
  return formatTriad(mode >> 6, (mode & SET_USER_ID) !== 0, "s") +
    formatTriad(mode >> 3, (mode & SET_GROUP_ID) !== 0, "s") +
    formatTriad(mode, (mode & STICKY) !== 0, "t");
}

function formatTriad(bits: number, isSpecial: boolean, special: string): string {
  const executable = (bits & 1) !== 0;
  const plain = executable ? "x" : "-";
  const last = isSpecial ? (executable ? special : special.toUpperCase()) : plain;
  return `${bits & 4 ? "r" : "-"}${bits & 2 ? "w" : "-"}${last}`;
}

function formatListTime(modified: Date, now: Date, options: TimeOptions): string {
  const clock = wallClock(modified, options);
  const year = clock.getUTCFullYear();
  // Clients expect four digits; an invalid date has none.
  if (!(year >= 0 && year <= 9999)) return formatListTime(new Date(0), now, options);
  const ageMs = now.getTime() - modified.getTime();
  const isRecent = ageMs >= 0 && ageMs <= HALF_YEAR_MS;
  const day = `${MONTHS[clock.getUTCMonth()]} ${pad(clock.getUTCDate(), 2)}`;
  return isRecent
    ? `${day} ${pad(clock.getUTCHours(), 2)}:${pad(clock.getUTCMinutes(), 2)}`
    : `${day}  ${pad(year, 4)}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
