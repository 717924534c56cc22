/**
 * QR codes (ISO/IEC 18004) as text for a terminal.
 *
 * @module
 */

/** Black on white, whatever colours the terminal has otherwise: cameras want it so. */
const BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m";
const PLAIN = "\x1b[0m";
/** Modules around the code; the standard wants four. */
const QUIET_ZONE = 4;
/** Two modules, one above the other, by whether they are dark. */
const BLOCKS = { none: " ", upper: "▀", lower: "▄", both: "█" } as const;

/** Draws modules, two rows in a line, each of as many characters as there are modules in a row. */
export function drawModules(rows: readonly (readonly boolean[])[]): string[] {
  const lines: string[] = [];
  for (let index = 0; index < rows.length; index += 2) {
    const [upper = [], lower = []] = [rows[index], rows[index + 1]];
    lines.push(upper.map((isDark, column) => blockOf(isDark, lower[column] ?? false)).join(""));
  }
  return lines;
}

function blockOf(isUpperDark: boolean, isLowerDark: boolean): string {
  if (isUpperDark) return isLowerDark ? BLOCKS.both : BLOCKS.upper;
  return isLowerDark ? BLOCKS.lower : BLOCKS.none;
}

/**
 * Returns the QR code of a text, for terminals that know colours; `undefined` when the text is too long for one.
 */
export async function qrTextOf(text: string): Promise<string | undefined> {
  // Loaded when needed: nothing else draws.
  const { encode } = await import("uqr");
  try {
    const { data } = encode(text, { ecc: "M", border: QUIET_ZONE });
    return drawModules(data).map((line) => `${BLACK_ON_WHITE}${line}${PLAIN}`).join("\n");
  } catch (error) {
    if (error instanceof RangeError || error instanceof Error) return undefined; // it says that it is too long
    throw error;
  }
}
