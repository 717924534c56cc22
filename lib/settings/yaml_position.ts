/**
 * Where values are in a YAML text, for messages. The parser reports no positions, so this reads the text a second time: as
 * far as to tell keys and list entries from the rest, and trusting that it is sound. What it does not understand (keys
 * after `?`, what an alias stands for) has the line of what is around it.
 *
 * @module
 */

import type { KeyPath } from "./key_path.ts";

/** A value, and what is in it by key or index. */
export interface PositionNode {
  /** Line, from 1, of its key or list mark; of a value without either, where it begins. */
  readonly line: number;
  readonly parts: ReadonlyMap<string | number, PositionNode>;
}

/** Finds the line, from 1, of the value at a path, or of the nearest thing around it; `undefined` for the top. */
export function findLine(root: PositionNode, path: KeyPath): number | undefined {
  let node: PositionNode | undefined = root;
  let line: number | undefined;
  for (const part of path) {
    node = node.parts.get(part);
    if (node === undefined) return line;
    line = node.line;
  }
  return line;
}

/** Reads a text that is known to be YAML. */
export function readPositions(text: string): PositionNode {
  const reader: Reader = { text: text.replace(/^\uFEFF/, ""), at: 0, line: 1, lineStart: 0 };
  skip(reader, /(?:%.*(?:\r\n|\r|\n)|[ \t]*(?:#.*)?(?:\r\n|\r|\n))*(?:---(?=[ \t\r\n]|$))?/y);
  return { line: 1, parts: readBlock(reader, -1) };
}

interface Reader {
  readonly text: string;
  at: number;
  line: number;
  /** Where the line begins that `at` is in. */
  lineStart: number;
}

type Parts = ReadonlyMap<string | number, PositionNode>;

const BLANK = /(?:[ \t]+|(?<![^ \t\r\n])#[^\r\n]*|\r\n|\r|\n)+/y;
/** Anchor and tag before a value. */
const PROPERTIES = /(?:[&!][^ \t\r\n,[\]{}]*(?:[ \t]+|(?=[\r\n]|$)))+/y;
const QUOTED = /"[^"\\]*(?:\\[^][^"\\]*)*"|'[^']*(?:''[^']*)*'/y;
const BLOCK_SCALAR = /[|>]/y;
const DASH = /-(?=[ \t\r\n]|$)/y;
const DOCUMENT_END = /(?:---|\.\.\.)(?=[ \t\r\n]|$)/y;
/** A key without quotes: up to the first colon that ends one, on its line. */
const PLAIN_KEY =
  /(?![ \t\r\n#,[\]{}|>"'&!*]|[?-](?:[ \t\r\n]|$))(?:[^ \t\r\n:#]|:(?=[^ \t\r\n])|(?<=[^ \t\r\n])#|[ \t](?!#))+?(?<=[^ \t\r\n])(?=[ \t]*:(?:[ \t\r\n]|$))/y;
const FLOW_PLAIN = /(?:[^ \t\r\n,[\]{}:#]|:(?![ \t\r\n,[\]{}]|$)|(?<=[^ \t\r\n])#|[ \t](?!#))+/y;
const LINE = /[^\r\n]*(?:\r\n|\r|\n|$)/y;

/** Reads the value that comes next in block style, if it stands to the right of `parent`. */
function readBlock(reader: Reader, parent: number, options: { readonly isOfKey?: boolean } = {}): Parts {
  skip(reader, BLANK);
  const start = column(reader);
  const isList = peek(reader, DASH) !== undefined;
  // A list may stand right below its key, in the same column.
  const isWithin = start > parent || (start === parent && isList && options.isOfKey === true);
  if (!isWithin || isAtEnd(reader)) return new Map();
  if (isList) return readBlockList(reader, start);
  if (readKey({ ...reader }) !== undefined) return readBlockMapping(reader, start);
  if (skip(reader, PROPERTIES)) return readBlock(reader, parent, options);
  if (peek(reader, /[[{]/y) !== undefined) return readFlow(reader);
  if (!skip(reader, BLOCK_SCALAR)) skip(reader, QUOTED);
  skipIndented(reader, parent);
  return new Map();
}

function readBlockList(reader: Reader, start: number): Parts {
  const parts = new Map<number, PositionNode>();
  while (column(reader) === start && peek(reader, DASH) !== undefined) {
    const { line } = reader;
    skip(reader, DASH);
    parts.set(parts.size, { line, parts: readBlock(reader, start) });
    skip(reader, BLANK);
  }
  return parts;
}

function readBlockMapping(reader: Reader, start: number): Parts {
  const parts = new Map<string, PositionNode>();
  while (column(reader) === start && !isAtEnd(reader)) {
    const { line } = reader;
    const key = readKey(reader);
    if (key === undefined) break;
    parts.set(key, { line, parts: readBlock(reader, start, { isOfKey: true }) });
    skip(reader, BLANK);
  }
  return parts;
}

/** Reads `key:`; `undefined` where there is none. */
function readKey(reader: Reader): string | undefined {
  skip(reader, PROPERTIES);
  const quoted = take(reader, QUOTED);
  const key = quoted === undefined ? take(reader, PLAIN_KEY) : unquote(quoted);
  return key !== undefined && skip(reader, /[ \t]*:(?=[ \t\r\n]|$)/y) ? key : undefined;
}

/** Reads `[ … ]` or `{ … }`, on one line or several. */
function readFlow(reader: Reader): Parts {
  const parts = new Map<string | number, PositionNode>();
  const isList = take(reader, /[[{]/y) === "[";
  for (;;) {
    skip(reader, BLANK);
    if (reader.at >= reader.text.length || skip(reader, /[\]}]/y)) return parts;
    if (skip(reader, /,/y)) continue;
    const { at, line } = reader;
    const first = readFlowValue(reader);
    skip(reader, BLANK);
    const within = skip(reader, /:/y) ? readFlowValue(reader).parts : first.parts;
    parts.set(isList ? parts.size : first.text, { line, parts: within });
    // Whatever this is, it is no reason to stay here for ever.
    if (reader.at === at) reader.at++;
  }
}

function readFlowValue(reader: Reader): { readonly text: string; readonly parts: Parts } {
  skip(reader, BLANK);
  if (skip(reader, PROPERTIES)) return readFlowValue(reader);
  if (peek(reader, /[[{]/y) !== undefined) return { text: "", parts: readFlow(reader) };
  const quoted = take(reader, QUOTED);
  if (quoted !== undefined) return { text: unquote(quoted), parts: new Map() };
  const text = take(reader, FLOW_PLAIN)?.trimEnd() ?? "";
  // A text goes on over lines until something of the collection comes.
  while (skip(reader, BLANK) && skip(reader, FLOW_PLAIN));
  return { text, parts: new Map() };
}

/** Passes over the rest of a scalar: this line, and all after it that stand to the right of `parent` or are empty. */
function skipIndented(reader: Reader, parent: number): void {
  skip(reader, LINE);
  while (reader.at < reader.text.length) {
    const indent = peek(reader, / */y)?.length ?? 0;
    const isEmpty = peek(reader, /[ \t]*(?:[\r\n]|$)/y) !== undefined;
    if (!isEmpty && (indent <= parent || isAtEnd(reader))) return;
    skip(reader, LINE);
  }
}

function column({ at, lineStart }: Reader): number {
  return at - lineStart;
}

function isAtEnd(reader: Reader): boolean {
  return reader.at >= reader.text.length || (column(reader) === 0 && peek(reader, DOCUMENT_END) !== undefined);
}

function peek({ text, at }: Reader, pattern: RegExp): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** Passes over what the pattern finds here; `undefined` where it finds nothing. */
function take(reader: Reader, pattern: RegExp): string | undefined {
  const found = peek(reader, pattern);
  if (found === undefined || found === "") return undefined;
  for (const { index, 0: lineEnd } of found.matchAll(/\r\n|\r|\n/g)) {
    reader.line++;
    reader.lineStart = reader.at + index + lineEnd.length;
  }
  reader.at += found.length;
  return found;
}

function skip(reader: Reader, pattern: RegExp): boolean {
  return take(reader, pattern) !== undefined;
}

/** The text between quotes; escapes other than of quotes do not occur in keys that are known. */
function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1);
  return quoted.startsWith("'") ? inner.replaceAll("''", "'") : inner.replace(/\\(["\\/])/g, "$1");
}
