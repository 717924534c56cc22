/**
 * Texts of PEM blocks (RFC 7468): certificates and keys as files hold them.
 *
 * @module
 */

/** One block. */
export interface PemBlock {
  /** What it says it is, such as `CERTIFICATE`. */
  readonly label: string;
  /** Line of its BEGIN, counted from 1. */
  readonly line: number;
  /** Whether its label or its own header says that it is encrypted (RFC 1421 §4.6.1.1, RFC 5958 §3). */
  readonly isEncrypted: boolean;
  /** What it holds, as one block and nothing else; `undefined` when it is cut off or no base64. */
  readonly text: string | undefined;
}

const BLOCK = /^[ \t]*-----BEGIN ([A-Z0-9 ]+)-----[ \t]*$/;
const HEADER = /^[A-Za-z0-9-]+:/;

/** Reads all blocks of a text, in its order; whatever is between them is explanatory text and skipped (RFC 7468 §2). */
export function readPemBlocks(text: string): PemBlock[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  const blocks: PemBlock[] = [];
  for (let index = 0; index < lines.length; index++) {
    const [, label] = BLOCK.exec(lines[index] ?? "") ?? [];
    if (label === undefined) continue;
    const body = bodyOf(lines, index + 1, label);
    blocks.push(parseBlock(label, { line: index + 1, ...body }));
    index += body.lines.length;
  }
  return blocks;
}

/** The lines up to a block's END; up to the next block or the end of the text where that is missing. */
function bodyOf(lines: readonly string[], from: number, label: string): { lines: readonly string[]; isWhole: boolean } {
  for (let index = from; index < lines.length; index++) {
    const line = (lines[index] ?? "").trim();
    if (line === `-----END ${label}-----`) return { lines: lines.slice(from, index), isWhole: true };
    if (line.startsWith("-----")) return { lines: lines.slice(from, index), isWhole: false };
  }
  return { lines: lines.slice(from), isWhole: false };
}

function parseBlock(
  label: string,
  { line, lines, isWhole }: { readonly line: number; readonly lines: readonly string[]; readonly isWhole: boolean },
): PemBlock {
  // Headers end at an empty line (RFC 1421 §4.4).
  const headers = HEADER.test(lines[0] ?? "") ? lines.slice(0, lines.findIndex((it) => it.trim() === "")) : [];
  const base64 = lines.slice(headers.length).join("").replace(/\s/g, "");
  const isEncrypted = label.startsWith("ENCRYPTED ") || headers.some((it) => /^Proc-Type:.*ENCRYPTED/.test(it));
  const text = isWhole && isBase64(base64) ? formatBlock(label, base64) : undefined;
  return { label, line, isEncrypted, text };
}

function isBase64(text: string): boolean {
  return text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
}

function formatBlock(label: string, base64: string): string {
  return `-----BEGIN ${label}-----\n${base64.replace(/.{64}(?=.)/g, "$&\n")}\n-----END ${label}-----\n`;
}
