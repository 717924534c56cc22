/**
 * A picture of a terminal, as SVG: what a newcomer sees, for the README.
 *
 * @module
 */

import { inColorOf } from "../../lib/logger.ts";

/** What is typed, and what comes. */
export interface TerminalScene {
  /** Title of the window. */
  readonly title: string;
  /** Lines; those that begin with `$ ` are typed. Colors as terminals understand (ECMA-48 §8.3.117). */
  readonly lines: readonly string[];
}

const COLUMNS = 100;
const CHARACTER_WIDTH = 8.4;
const LINE_HEIGHT = 20;
const MARGIN = 16;
const TITLE_HEIGHT = 32;

/** Foregrounds by Select Graphic Rendition, on a dark ground with enough contrast for small text (WCAG 2.2 AA). */
const FOREGROUNDS: Readonly<Record<string, string>> = {
  31: "#ff8080",
  32: "#7ee787",
  33: "#e3b341",
  34: "#79c0ff",
};

/** Draws a scene. Long lines go on below, as a terminal does it. */
export function drawTerminal({ title, lines }: TerminalScene): string {
  const rows = lines.flatMap(wrapped);
  const width = Math.round(COLUMNS * CHARACTER_WIDTH + 2 * MARGIN);
  const height = TITLE_HEIGHT + rows.length * LINE_HEIGHT + 2 * MARGIN;
  const texts = rows.map((row, index) => {
    const y = TITLE_HEIGHT + MARGIN + (index + 1) * LINE_HEIGHT - 5;
    return `<text x="${MARGIN}" y="${y}" xml:space="preserve">${row.map(drawRun).join("")}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"` +
    ` role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    ...["#ff5f57", "#febc2e", "#28c840"].map((color, index) =>
      `<circle cx="${MARGIN + 6 + index * 20}" cy="${TITLE_HEIGHT / 2}" r="6" fill="${color}"/>`
    ),
    `<text x="${width / 2}" y="${TITLE_HEIGHT / 2 + 5}" text-anchor="middle" fill="#8b949e"` +
    ` font-family="system-ui, sans-serif" font-size="13">${escaped(title)}</text>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14" fill="#e6edf3">`,
    ...texts,
    "</g>",
    "</svg>",
    "",
  ].join("\n");
}

/** A line of the log as it looks on a terminal. */
export function colored(line: string): string {
  const prefix = /^\[([DIWE]) [^\]]*\]/.exec(line);
  const level = ({ D: "debug", I: "info", W: "warn", E: "error" } as const)[prefix?.[1] as "D" | "I" | "W" | "E"];
  return prefix === null ? line : inColorOf(level, prefix[0]) + line.slice(prefix[0].length);
}

/** Text of one color. */
interface Run {
  readonly text: string;
  readonly color: string | undefined;
}

function wrapped(line: string): Run[][] {
  const rows: Run[][] = [[]];
  let column = 0;
  for (const { text, color } of runsOf(line)) {
    for (let rest = text; rest !== "";) {
      if (column === COLUMNS) {
        rows.push([]);
        column = 0;
      }
      const part = rest.slice(0, COLUMNS - column);
      rows.at(-1)?.push({ text: part, color });
      column += part.length;
      rest = rest.slice(part.length);
    }
  }
  return rows;
}

function runsOf(line: string): Run[] {
  let color: string | undefined = line.startsWith("$ ") ? "#ffffff" : undefined;
  // deno-lint-ignore no-control-regex -- the escape sequence is what is looked for
  return line.split(/(\x1b\[\d+m)/).flatMap((part) => {
    // deno-lint-ignore no-control-regex -- as above
    const code = /^\x1b\[(\d+)m$/.exec(part)?.[1];
    if (code === undefined) return part === "" ? [] : [{ text: part, color }];
    color = FOREGROUNDS[code];
    return [];
  });
}

function drawRun({ text, color }: Run): string {
  return `<tspan${color === undefined ? "" : ` fill="${color}"`}>${escaped(text)}</tspan>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
