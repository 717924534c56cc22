/**
 * Hours of the week, such as `Mo-Fr 08:00-18:00`.
 *
 * @module
 */

/** One span of time on some days of the week. */
export interface WeeklyHours {
  /** 1 is Monday, 7 is Sunday. */
  readonly days: readonly number[];
  /** First minute of the day, from 0. */
  readonly from: number;
  /** First minute behind it, to 1440; below `from` where it goes on after midnight, on the day after each of `days`. */
  readonly to: number;
}

/** A moment as the clock on the wall shows it. */
export interface WallTime {
  /** 1 is Monday, 7 is Sunday. */
  readonly day: number;
  /** Minute of the day, 0 to 1439. */
  readonly minute: number;
}

const DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const EVERY_DAY: readonly number[] = [1, 2, 3, 4, 5, 6, 7];
const MINUTES_OF_DAY = 1440;
const DAY = `(?:${DAYS.join("|")})`;
const FORM = new RegExp(
  `^(?:(${DAY}(?:-${DAY})?(?:,${DAY}(?:-${DAY})?)*) )?(\\d{2}):([0-5]\\d)-(\\d{2}):([0-5]\\d)$`,
);

/**
 * Reads hours: days, as `Mo`, `Mo-Fr` or `Sa,Su`, and a span, as `08:00-18:00`. Without days it is each day. A span that ends
 * earlier than it begins, as `22:00-06:00`, ends on the next day.
 *
 * @returns `undefined` when it is not of that form.
 */
export function parseWeeklyHours(text: string): WeeklyHours | undefined {
  const [, days, ...times] = FORM.exec(text) ?? [];
  const [fromHour, fromMinute, toHour, toMinute] = times.map(Number);
  if (fromHour === undefined || fromMinute === undefined || toHour === undefined || toMinute === undefined) {
    return undefined;
  }
  const [from, to] = [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
  if (from >= MINUTES_OF_DAY || to > MINUTES_OF_DAY || from === to) return undefined;
  return { days: days === undefined ? EVERY_DAY : days.split(",").flatMap(daysOf), from, to };
}

/** Days from the first to the last, round the end of the week where that is needed. */
function daysOf(range: string): number[] {
  const [first = "", last = first] = range.split("-");
  const [from, to] = [DAYS.indexOf(first), DAYS.indexOf(last)];
  const count = (to - from + DAYS.length) % DAYS.length + 1;
  return Array.from({ length: count }, (_, index) => (from + index) % DAYS.length + 1);
}

/** Returns whether a moment is in one of the spans. */
export function isWithinHours(hours: readonly WeeklyHours[], { day, minute }: WallTime): boolean {
  const dayBefore = day === 1 ? DAYS.length : day - 1;
  return hours.some(({ days, from, to }) => {
    if (from < to) return days.includes(day) && minute >= from && minute < to;
    return (days.includes(day) && minute >= from) || (days.includes(dayBefore) && minute < to);
  });
}

/** Returns whether there is a time zone of a name, such as `Europe/Berlin`, or an offset such as `+02:00`. */
export function isTimeZone(name: string): boolean {
  try {
    void new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false; // a RangeError, whatever is wrong
  }
}

/** Returns what the clock on the wall shows in a time zone. Hours that summer time leaves out never come, others come twice. */
export function wallTimeIn(timeZone: string, now: Date): WallTime {
  const { dayOfWeek, hour, minute } = Temporal.Instant.fromEpochMilliseconds(now.getTime()).toZonedDateTimeISO(
    timeZone,
  );
  return { day: dayOfWeek, minute: hour * 60 + minute };
}
