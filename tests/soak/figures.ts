/**
 * Figures, and tables of them in Markdown.
 *
 * @module
 */

/** The middle one of some numbers; of none, `NaN`. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}

/** Prints one line of a table. */
export function printRow(cells: readonly string[]): void {
  print(`| ${cells.join(" | ")} |`);
}

/** Prints a line. */
export function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}
