/**
 * Lines of LIST in the form of `ls -l`, which RFC 959 §4.1.3 leaves open and clients parse.
 *
 * @module
 */

import { type TimeOptions, wallClock } from "./facts.ts";

/** What is known of an entry to list. */
export interface ListedInfo {
  /** Shown as `-`, `d`, `l` or `p`. */
  readonly type: "file" | "directory" | "link" | "other";
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

const EPOCH = new Date(0);
const MINUTE_MS = 60_000;

/** Writes the lines of one listing. What an entry has in common with the one before is not written anew. */
export class ListLineFormatter {
  readonly #nowMs: number;
  readonly #options: TimeOptions;
  #modeText = { mode: NaN, text: "" };
  #owner: { readonly info: ListedInfo; readonly text: string } | undefined;
  #time = { key: NaN, text: "" };

  /** @param now Times up to 180 days before it are shown with hour and minute, older and later ones with the year. */
  constructor(now: Date, options: TimeOptions = {}) {
    this.#nowMs = now.getTime();
    this.#options = options;
  }

  /**
   * Writes one line, without CR LF: mode, links, owner, group, size, time, name.
   *
   * @param target Shown behind the name of a link and `->`, without which libcurl and ftputil cannot read the line.
   */
  format(name: string, info: ListedInfo, target?: string): string {
    const mode = info.mode ?? (info.type === "directory" ? 0o755 : 0o644);
    const links = String(info.links ?? 1).padStart(3);
    const size = String(info.size).padStart(8);
    const start = `${TYPE_CHARACTERS[info.type]}${this.#mode(mode)} ${links} ${this.#ownerAndGroup(info)} ${size}`;
    const line = `${start} ${this.#timeOf(info.modified ?? EPOCH)} ${name}`;
    return target === undefined ? line : `${line} -> ${target}`;
  }

  #mode(mode: number): string {
    if (mode !== this.#modeText.mode) this.#modeText = { mode, text: formatMode(mode) };
    return this.#modeText.text;
  }

  #ownerAndGroup(info: ListedInfo): string {
    const { uid, gid } = info;
    if (this.#owner === undefined || this.#owner.info.uid !== uid || this.#owner.info.gid !== gid) {
      this.#owner = { info, text: `${String(uid ?? "ftp").padEnd(8)} ${String(gid ?? "ftp").padEnd(8)}` };
    }
    return this.#owner.text;
  }

  #timeOf(modified: Date): string {
    const ms = modified.getTime();
    const ageMs = this.#nowMs - ms;
    const isRecent = ageMs >= 0 && ageMs <= HALF_YEAR_MS;
    // Zones may be off by seconds; two minutes of which one is recent differ in it, too
    const key = this.#options.local === true ? ms : Math.floor(ms / MINUTE_MS) * 2 + Number(isRecent);
    if (key !== this.#time.key) this.#time = { key, text: formatListTime(modified, { isRecent, ...this.#options }) };
    return this.#time.text;
  }
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

function formatListTime(modified: Date, options: TimeOptions & { readonly isRecent: boolean }): string {
  const clock = wallClock(modified, options);
  const year = clock.getUTCFullYear();
  // Clients expect four digits; an invalid date has none.
  if (!(year >= 0 && year <= 9999)) return formatListTime(EPOCH, { ...options, isRecent: false });
  const day = `${MONTHS[clock.getUTCMonth()]} ${pad(clock.getUTCDate(), 2)}`;
  return options.isRecent
    ? `${day} ${pad(clock.getUTCHours(), 2)}:${pad(clock.getUTCMinutes(), 2)}`
    : `${day}  ${pad(year, 4)}`;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
