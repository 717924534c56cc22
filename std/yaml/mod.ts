/**
 * Stand-in for the part of `jsr:@std/yaml` that the configuration uses, on `npm:js-yaml`, for places that do not reach
 * JSR. `links` in `deno.json` puts it in the package's place; a published package gets the real one.
 *
 * Both come from the same code and read what the configuration needs alike. They differ, and nothing may rely on them, in
 * the words of errors; in numbers written with a leading zero or `_` (`010` is 8 there and 10 here, `0o10` a text there and
 * 8 here); in tabs before a key (a space there, an error here); in nesting without end (a `RangeError` there). Schemas
 * other than `core`, several documents, warnings, snippets in errors and writing YAML are not covered.
 *
 * @module
 */

import yaml from "js-yaml";

/** Where an error is; `line` and `column` count from 1, `offset` from 0. */
export interface YamlPosition {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

/** Text that is not YAML. */
export class YamlSyntaxError extends SyntaxError {
  override readonly name = "YamlSyntaxError";
  readonly line: number;
  readonly column: number;
  readonly offset: number;

  constructor(message: string, position: YamlPosition) {
    super(`${message} at line ${position.line}, column ${position.column}`);
    this.line = position.line;
    this.column = position.column;
    this.offset = position.offset;
  }
}

/** Options for {@linkcode parse}. */
export interface ParseOptions {
  /** What plain scalars can mean: `core` is text, null, booleans and numbers; dates are text. */
  schema: "core";
}

interface Failure {
  readonly reason: string;
  readonly mark?: { readonly position: number };
}

/**
 * Reads one YAML document.
 *
 * @returns The value; `null` for an empty text.
 * @throws {YamlSyntaxError} When the text is not one YAML document, or repeats a key.
 */
export function parse(content: string, options: ParseOptions): unknown {
  if (options.schema !== "core") {
    throw new TypeError(
      `Cannot parse with schema "${options.schema}": it is not covered`,
    );
  }
  try {
    return yaml.load(content, { schema: yaml.CORE_SCHEMA }) ?? null;
  } catch (error) {
    if (!(error instanceof yaml.YAMLException)) throw error;
    const { reason, mark } = error as unknown as Failure;
    throw new YamlSyntaxError(
      reason,
      positionOf(content, mark?.position ?? secondDocument(content)),
    );
  }
}

/** Counts lines and columns, because js-yaml does not for every error. */
function positionOf(content: string, offset: number): YamlPosition {
  const lines = content.slice(0, offset).split(/\r\n|\r|\n/);
  return {
    line: lines.length,
    column: (lines.at(-1) ?? "").length + 1,
    offset,
  };
}

/** Where the second document begins: the one error that js-yaml does not place. */
function secondDocument(content: string): number {
  const starts = [...content.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index);
  return starts.find((start) => content.slice(0, start).split(/\r\n|\r|\n/).some(isContent)) ?? 0;
}

/** Returns whether a line belongs to a document, rather than being blank, a comment, a directive or a mark. */
function isContent(line: string): boolean {
  return !/^(?:\uFEFF?\s*(?:#.*)?|%.*|(?:---|\.\.\.)\s*)$/.test(line);
}
