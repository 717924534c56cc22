/**
 * Tables and quantities for people, in a width that fits.
 *
 * @module
 */

import { printable } from "../logger.ts";

/** What a column of a table is called, and how it is set. */
export interface Column {
  readonly title: string;
  /** For numbers. */
  readonly isRight?: true;
  /** Cells that are longer are cut; absent: they are shown whole. */
  readonly maxWidth?: number;
}

const ELLIPSIS = "…";

/** Sets rows under their titles. What would command a terminal is shown by its codes. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const cut = rows.map((row) =>
    columns.map(({ maxWidth = Infinity }, index) => cutTo(printable(row[index] ?? ""), maxWidth))
  );
  const widths = columns.map(({ title }, index) =>
    cut.reduce((widest, row) => Math.max(widest, widthOf(row[index] ?? "")), widthOf(title))
  );
  const setRow = (cells: readonly string[]) =>
    cells.map((cell, index) => {
      const space = " ".repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell)));
      return columns[index]?.isRight ? `${space}${cell}` : `${cell}${space}`;
    }).join("  ").trimEnd();
  return [columns.map(({ title }) => title), ...cut].map(setRow);
}

/** Cuts a line to so many columns of a terminal, and shows that. */
export function cutTo(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let [kept, width] = ["", 0];
  for (const character of text) {
    width += widthOf(character);
    if (width > columns - 1) break;
    kept += character;
  }
  return columns < 1 ? "" : `${kept}${ELLIPSIS}`;
}

/** Cuts the beginning of a path away: its end says more. */
export function cutPath(path: string, columns: number): string {
  const shown = printable(path);
  if (widthOf(shown) <= columns) return shown;
  let [kept, width] = ["", 0];
  for (const character of [...shown].reverse()) {
    width += widthOf(character);
    if (width > columns - 1) break;
    kept = character + kept;
  }
  return `${ELLIPSIS}${kept}`;
}

/** Columns of a terminal that a text takes; letters of East Asia take two, marks above others none. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += /[\p{Mn}\p{Me}\p{Cf}]/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** Unicode's East Asian wide and fullwidth blocks, and pictures. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u;

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** Writes an amount of bytes, such as `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

/** Writes a rate. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.max(0, bytesPerSecond))}/s`;
}

/** Writes a time by its two greatest units, such as `2d 3h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return `${days}d ${hours}h`;
  if (hours > 0) return `${hours}h ${minutes}m`;
  return minutes > 0 ? `${minutes}m ${whole % 60}s` : `${whole}s`;
}
