/**
 * Numbers and names as the page shows them.
 *
 * @module
 */

const SIZES = ["B", "kB", "MB", "GB", "TB", "PB"];
const COUNT = new Intl.NumberFormat("en");

/**
 * Bytes in the unit that suits, such as `1.2 MB`.
 *
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < SIZES.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${SIZES[unit]}`;
}

/**
 * Bytes a second.
 *
 * @param {number} rate
 */
export function formatRate(rate) {
  return `${formatBytes(rate)}/s`;
}

/**
 * A whole number with its thousands apart.
 *
 * @param {number} count
 */
export function formatCount(count) {
  return COUNT.format(count);
}

/**
 * A span of time in its two largest units, such as `3 min 20 s`.
 *
 * @param {number} seconds
 */
export function formatDuration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([value]) => value !== 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([value]) => value !== 0).map((part) => part.join(" ")).join(" ");
}

/**
 * A text that somebody else has chosen, on one line, no longer than so many characters: what would be unseen, or turn the
 * direction of what follows, is shown by its number.
 *
 * @param {unknown} text
 * @param {number} [most]
 */
export function formatName(text, most = 160) {
  const all = String(text ?? "");
  const cut = all.length > most ? `${all.slice(0, most)}…` : all;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `\\u{${code.toString(16)}}`;
  });
}

/**
 * The time of day of a moment, with the date where that is another day than today.
 *
 * @param {string | number | Date} moment
 */
export function formatTime(moment) {
  const date = new Date(moment);
  const time = date.toLocaleTimeString("en-GB");
  return date.toDateString() === new Date().toDateString() ? time : `${date.toISOString().slice(0, 10)} ${time}`;
}
