/**
 * Times in facts and replies: RFC 3659 §2.3.
 *
 * @module
 */

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
