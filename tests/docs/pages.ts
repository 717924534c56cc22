/**
 * The pages of the documentation, as far as tests have to read Markdown.
 *
 * @module
 */

/** Folder of the project. */
export const ROOT = new URL("../../", import.meta.url);

/** Folders without pages of the project's own. */
const FOREIGN_FOLDERS = [".git", "node_modules", "dist", "coverage"];

/** A block between fences. */
export interface CodeBlock {
  /** What stands behind the opening fence; empty for none. */
  readonly language: string;
  /** Its lines, each with its end. */
  readonly text: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  /** The heading above it. */
  readonly section: string;
}

/** A page. */
export interface Page {
  /** Path from the folder of the project. */
  readonly path: string;
  readonly url: URL;
  readonly text: string;
}

/** Reads one page. */
export function readPage(path: string): Page {
  const url = new URL(path, ROOT);
  return { path, url, text: Deno.readTextFileSync(url) };
}

/** Reads all Markdown files of the project. */
export function readPages(folder = ""): Page[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))]
    .sort((one, other) => one.name < other.name ? -1 : 1)
    .flatMap(({ name, isDirectory, isFile }) => {
      if (isDirectory && !FOREIGN_FOLDERS.includes(name)) return readPages(`${folder}${name}/`);
      return isFile && name.endsWith(".md") ? [readPage(`${folder}${name}`)] : [];
    });
}

/** Finds the blocks between fences, also where they are indented. */
export function codeBlocks({ text }: Page): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let section = "";
  let open: { language: string; indent: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const [fence, indent = "", language = ""] = /^( *)```(.*)$/.exec(line) ?? [];
    if (open === undefined) {
      section = /^#+ (.*)$/.exec(line)?.[1] ?? section;
      if (fence !== undefined) open = { language: language.trim(), indent, line: index + 1, lines: [] };
    } else if (fence === undefined) {
      open.lines.push(`${line.startsWith(open.indent) ? line.slice(open.indent.length) : line}\n`);
    } else {
      blocks.push({ language: open.language, text: open.lines.join(""), line: open.line, section });
      open = undefined;
    }
  }
  return blocks;
}

/** The text without what stands between fences, line by line. */
export function prose({ text }: Page): string {
  let isCode = false;
  return text.split("\n").map((line) => {
    const isFence = /^ *```/.test(line);
    if (isFence) isCode = !isCode;
    return isFence || isCode ? "" : line;
  }).join("\n");
}

/** Texts in backticks outside of blocks, with `\|` of tables as `|`. */
export function codeSpans(text: string): string[] {
  return [...text.matchAll(/(`+)((?:(?!\1)[^])+?)\1(?!`)/g)].map(([, , code = ""]) =>
    code.replaceAll("\\|", "|").replace(/\s+/g, " ").trim()
  );
}

/** Rows of the tables below a heading; cells are trimmed. */
export function tableRows(page: Page, section: string): string[][] {
  const lines = sectionLines(page, section).filter((line) => line.startsWith("|"));
  return lines.map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()))
    .filter(([first = ""]) => !/^:?-+:?$/.test(first));
}

/** The lines from a heading to the next one that is not below it, without blocks. */
function sectionLines(page: Page, section: string): string[] {
  const lines = prose(page).split("\n");
  const levelOf = (line: string) => /^#+(?= )/.exec(line)?.[0].length ?? Infinity;
  const start = lines.findIndex((line) => levelOf(line) < Infinity && line.replace(/^#+ /, "") === section);
  if (start < 0) throw new Error(`${page.path} has no section "${section}"`);
  const level = levelOf(lines[start] ?? "");
  const length = lines.slice(start + 1).findIndex((line) => levelOf(line) <= level);
  return lines.slice(start, length < 0 ? undefined : start + 1 + length);
}

/** The anchors of a page: its headings, as hosts of repositories name them. */
export function anchors(page: Page): Set<string> {
  const counts = new Map<string, number>();
  const headings = [...prose(page).matchAll(/^#+ +(.*?) *$/gm)].map(([, heading = ""]) => slug(heading));
  return new Set(headings.map((name) => {
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  }));
}

/** Letters, digits, hyphens and underscores of a heading, in lower case; a space is a hyphen. */
function slug(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, "")
    .replaceAll(" ", "-");
}
