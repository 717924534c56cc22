/**
 * Virtual paths: pathnames of RFC 959 §5.3.1 in the form of RFC 3659 §6 (TVFS).
 *
 * A path is absolute and normalised: `/`, or components that each have a `/` before them, none of which is empty, `.`
 * or `..`. Nothing else is special: backslash, `~`, `*` and spaces are ordinary characters.
 *
 * @module
 */

/**
 * Resolves a pathname as a client sends it to a path. `..` never leads above `/`.
 *
 * @param directory Path that a relative pathname starts from.
 * @param pathname Absolute or relative; empty for `directory` itself.
 */
export function resolvePathname(directory: string, pathname: string): string {
  const components: string[] = [];
  const whole = pathname.startsWith("/") ? pathname : `${directory}/${pathname}`;
  for (const component of whole.split("/")) {
    if (component === "..") components.pop();
    else if (component !== "" && component !== ".") components.push(component);
  }
  return `/${components.join("/")}`;
}

/** Returns whether a name has a CR, LF or NUL, which no reply or listing could carry (RFC 959 §5.3.2). */
export function hasForbiddenCharacter(name: string): boolean {
  return /[\r\n\0]/.test(name);
}

/** Returns the last component of a path; empty for `/`. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Returns the directory that a path is in; `/` for itself. */
export function parentPath(path: string): string {
  return path.slice(0, path.lastIndexOf("/")) || "/";
}

/** Returns the path of an entry of a directory. */
export function joinPathname(directory: string, name: string): string {
  return directory === "/" ? `/${name}` : `${directory}/${name}`;
}

/** Returns the pathname that leads from a directory to a path: `../b` from `/a` to `/b`, `.` to itself. */
export function relativePathname(directory: string, path: string): string {
  const from = components(directory);
  const to = components(path);
  const shared = from.findIndex((component, index) => component !== to[index]);
  const common = shared === -1 ? from.length : shared;
  return [...from.slice(common).map(() => ".."), ...to.slice(common)].join("/") || ".";
}

function components(path: string): string[] {
  return path.split("/").filter((component) => component !== "");
}

/** Returns whether a path is the directory or below it, by components: `/a` has `/a/b` within, and not `/ab`. */
export function isWithin(directory: string, path: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}

/** Puts a path in double quotes, and doubles those in it (RFC 959 appendix II). */
export function quotePathname(path: string): string {
  return `"${path.replaceAll('"', '""')}"`;
}

/** Eight lower-case letters and digits that make a name one that nothing has. */
export function randomSuffix(): string {
  return Array.from(
    crypto.getRandomValues(new Uint8Array(8)),
    (byte) => (byte % 36).toString(36),
  ).join("");
}

/**
 * One way to read an argument. Pathnames may have spaces in them, so an argument with more than a pathname can be read in more
 * than one way: the first reading whose pathname leads to something holds, or else the last.
 */
export interface ArgumentReading {
  /** What the command reads itself. */
  readonly argument: string;
  /** Empty where there is none. */
  readonly pathname: string;
}

/** Where the pathname is. */
export type PathnamePlace =
  | "whole" // CWD path
  | "afterFirstWord" // SITE CHMOD mode path
  | "afterFlags" // LIST -la path
  | "afterTime" // MDTM path, MDTM time path
  | "besideTimes" // SITE UTIME path atime mtime ctime UTC, SITE UTIME mtime path
  | "beforeRange"; // XCRC path start end

type PathnameLocator = (argument: string) => readonly ArgumentReading[];

const FLAGS_REGEXP = /^(?:-[A-Za-z1]+(?: |$))+(?:-- ?)?|^-- ?/;
/** Flags of `ls` that clients send as a matter of course: never a name. */
const USUAL_FLAGS_REGEXP = /^-(?:a|l|al|la)$/i;
/** How many words of flags may be the beginning of a name: each is looked for. */
const MAX_FLAG_WORDS = 4;
const TIME_BEFORE_REGEXP = /^(\d{14}(?:\.\d+)?) (.+)$/s;
const TIMES_BEHIND_REGEXP = /^(.+) \d{14} (\d{14}) \d{14} UTC$/is;
const SHORT_TIME_REGEXP = /^(\d{12}(?:\d\d)?) (.+)$/s;
const QUOTED_RANGE_REGEXP = /^"((?:[^"]|"")+)"((?: \d+){0,2})$/s;
const PARENT_REGEXP = /(?:^|\/)\.\.(?:\/|$)/;
const RANGE_REGEXP = /^(.+?)((?: \d{1,15}){1,2})$/s;

const LOCATORS: Readonly<Record<PathnamePlace, PathnameLocator>> = {
  whole: (argument) => [{ argument, pathname: argument }],
  afterFirstWord,
  afterFlags,
  afterTime,
  besideTimes,
  beforeRange,
};

/** Reads an argument: the possible readings in order of preference, one at least. */
export function locatePathname(argument: string, place: PathnamePlace): readonly ArgumentReading[] {
  const readings = LOCATORS[place](argument);
  // A `..` would take the word before the pathname for a directory, and leave it.
  return readings.length > 1 && PARENT_REGEXP.test(argument) ? readings.slice(-1) : readings;
}

function afterFirstWord(argument: string): readonly ArgumentReading[] {
  const space = argument.indexOf(" ");
  if (space < 0) return [{ argument, pathname: "" }];
  return [{ argument: argument.slice(0, space), pathname: argument.slice(space + 1) }];
}

/** Flags of `ls` change nothing; `--` ends them. A name that looks like flags goes first, as in `-la -name`. */
function afterFlags(argument: string): readonly ArgumentReading[] {
  const bare = argument.replace(FLAGS_REGEXP, "");
  const flagsEnd = argument.length - bare.length;
  const pathnames: string[] = [];
  let start = 0;
  for (let words = 0; start < flagsEnd && words < MAX_FLAG_WORDS; words++) {
    const pathname = argument.slice(start);
    // Behind flags "--" is none of a name.
    if (!USUAL_FLAGS_REGEXP.test(pathname) && (start === 0 || !/^--(?: |$)/.test(pathname))) pathnames.push(pathname);
    start += pathname.indexOf(" ") < 0 ? pathname.length : pathname.indexOf(" ") + 1;
  }
  return [...pathnames, bare].map((pathname) => ({ argument, pathname }));
}

/** The argument is the time to set, and empty where none is set. */
function afterTime(argument: string): readonly ArgumentReading[] {
  const whole = { argument: "", pathname: argument };
  const [, time, pathname] = TIME_BEFORE_REGEXP.exec(argument) ?? [];
  return time === undefined || pathname === undefined ? [whole] : [whole, { argument: time, pathname }];
}

/** The argument is the time of modification. */
function besideTimes(argument: string): readonly ArgumentReading[] {
  const [, before, modified] = TIMES_BEHIND_REGEXP.exec(argument) ?? [];
  if (before !== undefined && modified !== undefined) return [{ argument: modified, pathname: before }];
  const [, time, behind] = SHORT_TIME_REGEXP.exec(argument) ?? [];
  return [
    time === undefined || behind === undefined ? { argument, pathname: "" } : { argument: time, pathname: behind },
  ];
}

/** The path may be in double quotes. The argument is the range. */
function beforeRange(argument: string): readonly ArgumentReading[] {
  const [, quoted, range = ""] = QUOTED_RANGE_REGEXP.exec(argument) ?? [];
  const whole = { argument: "", pathname: argument };
  if (quoted !== undefined) return [whole, { argument: range.trim(), pathname: quoted.replaceAll('""', '"') }];
  const [, path, numbers] = RANGE_REGEXP.exec(argument) ?? [];
  return path === undefined || numbers === undefined ? [whole] : [whole, { argument: numbers.trim(), pathname: path }];
}
