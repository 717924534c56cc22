/**
 * Changes of `users` in the text of a configuration file, which leave everything else in it as it is, comments too.
 *
 * Only lines are put in, replaced and taken out, and only in block style. What comes out is read again: where it is not exactly what
 * was wanted, the text is left to whoever wrote it.
 *
 * @module
 */

import { parse } from "@std/yaml";
import { type PositionNode, readPositions } from "./yaml_position.ts";

/** Values by key; `undefined` takes a key away. */
export type UserPatch = Readonly<Record<string, unknown>>;

/** A change of one user. */
export type UserChange =
  | { readonly kind: "add"; readonly entry: UserPatch & { readonly name: string } }
  | { readonly kind: "set"; readonly name: string; readonly patch: UserPatch }
  | { readonly kind: "remove"; readonly name: string };

/** A text that cannot be changed by lines. */
export class UnsuitableTextError extends Error {
  /** The name of the class. */
  override readonly name = "UnsuitableTextError";
  /** What to put into the file, or take out of it, by hand. */
  readonly lines: readonly string[];

  /** Makes an error with lines for the reader. */
  constructor(lines: readonly string[]) {
    super("The users are written in a form that cannot be changed line by line");
    this.lines = lines;
  }
}

type Given = Readonly<Record<string, unknown>> & { readonly users?: unknown };

/** Lines from `start` up to `end`, not included, that others take the place of. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly lines: readonly string[];
}

/**
 * Changes a text that is a configuration.
 *
 * @throws {TypeError} When there is no such user, or there is one already.
 * @throws {UnsuitableTextError} When lines alone cannot do it.
 */
export function editUsers(text: string, change: UserChange): string {
  const given = (parse(text, { schema: "core" }) ?? {}) as Given;
  const users = usersOf(given);
  const name = change.kind === "add" ? change.entry.name : change.name;
  const index = users.findIndex((user) => user.name === name);
  if (change.kind === "add" && index >= 0) throw new TypeError(`there is a user ${JSON.stringify(name)} already`);
  if (change.kind !== "add" && index < 0) throw new TypeError(`there is no user ${JSON.stringify(name)}`);
  const wanted = { ...given, users: changedUsers(users, index, change) };
  const source = new SourceLines(text);
  const edits = source.editsFor(change, index, users.length);
  const edited = edits === undefined ? undefined : source.apply(edits);
  if (edited === undefined || !isSame(parseOrNothing(edited), wanted)) throw new UnsuitableTextError(byHand(change));
  return edited;
}

function usersOf({ users }: Given): readonly UserPatch[] {
  return Array.isArray(users) ? users : [];
}

function changedUsers(users: readonly UserPatch[], index: number, change: UserChange): readonly UserPatch[] {
  switch (change.kind) {
    case "add":
      return [...users, withoutNothing(change.entry)];
    case "remove":
      return users.toSpliced(index, 1);
    case "set":
      return users.with(index, withoutNothing({ ...users[index], ...change.patch }));
  }
}

function withoutNothing(patch: UserPatch): UserPatch {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}

function parseOrNothing(text: string): unknown {
  try {
    return parse(text, { schema: "core" });
  } catch {
    return undefined; // no YAML any more
  }
}

/** What a reader has to do. */
function byHand(change: UserChange): string[] {
  if (change.kind === "remove") return [`# take out the entry of users with name ${scalar(change.name)}`];
  const patch = change.kind === "add" ? change.entry : change.patch;
  const [first = "", ...others] = Object.entries(patch).map(([key, value]) =>
    value === undefined ? `# without ${key}` : keyLine(key, value)
  );
  if (change.kind === "add") return ["users:", `  - ${first}`, ...others.map((line) => `    ${line}`)];
  return [`# in the entry of users with name ${scalar(change.name)}`, first, ...others];
}

class SourceLines {
  /** Each with its end. */
  readonly #lines: readonly string[];
  readonly #lineEnd: string;
  readonly #root: PositionNode;

  constructor(text: string) {
    this.#lines = text.split(/(?<=\n)/);
    this.#lineEnd = text.includes("\r\n") ? "\r\n" : "\n";
    this.#root = readPositions(text);
  }

  /** `undefined` where there are none that would do. */
  editsFor(change: UserChange, index: number, count: number): readonly Edit[] | undefined {
    const users = this.#root.parts.get("users");
    if (change.kind === "add") {
      return users === undefined ? this.#append(change.entry) : this.#insert(users, change.entry);
    }
    const entry = users?.parts.get(index);
    if (users === undefined || entry === undefined) return undefined;
    const range = this.#rangeOf(entry, users.parts.get(index + 1)?.line ?? this.#lineAfter(users));
    if (change.kind === "set") return this.#set(entry, range, change.patch);
    if (count > 1) return [{ ...range, lines: [] }];
    const [, rest] = /^users\s*:(\s*(?:#.*)?)$/.exec(this.#text(users.line - 1)) ?? [];
    if (rest === undefined) return undefined;
    return [{ start: users.line - 1, end: users.line, lines: [`users: []${rest}`] }, { ...range, lines: [] }];
  }

  apply(edits: readonly Edit[]): string {
    const lines = [...this.#lines];
    for (const { start, end, lines: others } of edits.toSorted((one, other) => other.start - one.start)) {
      const before = lines[start - 1];
      if (before !== undefined && before !== "" && !before.endsWith("\n") && others.length > 0) {
        lines[start - 1] = `${before}${this.#lineEnd}`;
      }
      lines.splice(start, end - start, ...others.map((line) => `${line}${this.#lineEnd}`));
    }
    return lines.join("");
  }

  /** A file without users gets them at its end. */
  #append(entry: UserPatch): readonly Edit[] {
    const end = this.#lines.length;
    const isEmpty = this.#lines.every((line) => line.trim() === "");
    return [{ start: end, end, lines: [...isEmpty ? [] : [""], "users:", ...entryLines(entry, "  ")] }];
  }

  #insert(users: PositionNode, entry: UserPatch): readonly Edit[] | undefined {
    const last = [...users.parts.values()].at(-1);
    if (last === undefined) {
      const [, rest] = /^users\s*:\s*\[\s*\](\s*(?:#.*)?)$/.exec(this.#text(users.line - 1)) ?? [];
      if (rest === undefined) return undefined;
      const start = users.line - 1;
      return [{ start, end: start + 1, lines: [`users:${rest}`, ...entryLines(entry, "  ")] }];
    }
    const [, indent] = /^(\s*)-(?:\s|$)/.exec(this.#text(last.line - 1)) ?? [];
    if (indent === undefined) return undefined;
    const { end } = this.#rangeOf(last, this.#lineAfter(users));
    return [{ start: end, end, lines: entryLines(entry, indent) }];
  }

  #set(
    entry: PositionNode,
    range: Pick<Edit, "start" | "end">,
    patch: UserPatch,
  ): readonly Edit[] | undefined {
    const edits: Edit[] = [];
    const added: string[] = [];
    const lineNumbers = [...entry.parts.values()].map(({ line }) => line).sort((one, other) => one - other);
    const [first = ""] = [...entry.parts.keys()].map(String);
    const indent = this.#prefixOf(first, entry.parts.get(first))?.length;
    if (indent === undefined) return undefined;
    for (const [key, value] of Object.entries(patch)) {
      const node = entry.parts.get(key);
      if (node === undefined) {
        if (value !== undefined) added.push(`${" ".repeat(indent)}${keyLine(key, value)}`);
        continue;
      }
      const prefix = this.#prefixOf(key, node);
      const isFirst = prefix?.includes("-") === true;
      if (prefix === undefined || (value === undefined && isFirst)) return undefined;
      const next = lineNumbers.find((line) => line > node.line) ?? range.end + 1;
      const part = this.#rangeOf(node, next);
      const comment = part.end - part.start === 1 ? commentOf(this.#text(part.start)) : "";
      edits.push({ ...part, lines: value === undefined ? [] : [`${prefix}${keyLine(key, value)}${comment}`] });
    }
    return added.length === 0 ? edits : [...edits, { start: range.end, end: range.end, lines: added }];
  }

  /** What stands before a key on its line: space, and the mark of the list. */
  #prefixOf(key: string, node: PositionNode | undefined): string | undefined {
    if (node === undefined) return undefined;
    const line = this.#text(node.line - 1);
    const [prefix = ""] = /^\s*(?:-\s+)?/.exec(line) ?? [];
    return /^["']?/.test(line) && line.slice(prefix.length).replace(/^["']|["'](?=\s*:)/g, "").startsWith(key)
      ? prefix
      : undefined;
  }

  /** Lines of a part up to that of the next; empty lines at their end, and comments that are not deeper, are left to that. */
  #rangeOf({ line }: PositionNode, nextLine: number): Pick<Edit, "start" | "end"> {
    const start = line - 1;
    let end = nextLine - 1;
    const depth = /^ */.exec(this.#text(start))?.[0].length ?? 0;
    const isLeft = (line: string) => line.trim() === "" || (/^ *#/.test(line) && line.search(/#/) <= depth);
    while (end > start + 1 && isLeft(this.#text(end - 1))) end--;
    return { start, end };
  }

  /** The line of the key behind a part of the whole; one past the last where there is none. */
  #lineAfter({ line }: PositionNode): number {
    const later = [...this.#root.parts.values()].map((node) => node.line).filter((other) => other > line);
    return Math.min(...later, this.#lines.length + 1);
  }

  #text(index: number): string {
    return (this.#lines[index] ?? "").replace(/\r?\n$/, "");
  }
}

/** The comment behind a value on one line, with the space before it. */
function commentOf(line: string): string {
  const [, comment = ""] = /^[^:]*:\s+(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|(?:(?!\s#).)*?)(\s+#.*)$/.exec(line) ?? [];
  return comment;
}

function entryLines(entry: UserPatch, indent: string): string[] {
  const lines = Object.entries(withoutNothing(entry)).map(([key, value]) => keyLine(key, value));
  return lines.map((line, index) => `${indent}${index === 0 ? "- " : "  "}${line}`);
}

function keyLine(key: string, value: unknown): string {
  return `${key}: ${scalar(value)}`;
}

/** Words that YAML may take for something else than text. */
const RESERVED = /^(?:true|false|null|yes|no|on|off|y|n)$/i;

/** Writes a value on one line. JSON is YAML, too. */
function scalar(value: unknown): string {
  if (typeof value === "string") {
    return /^[A-Za-z/][\w./@-]*$/.test(value) && !RESERVED.test(value) ? value : JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(scalar).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([key, part]) => keyLine(key, part)).join(", ")} }`;
}

function isSame(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) {
    return Object.is(one, other);
  }
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [keys, others] = [Object.keys(one), Object.keys(other)];
  return keys.length === others.length &&
    keys.every((key) => Object.hasOwn(other, key) && isSame((one as Given)[key], (other as Given)[key]));
}
