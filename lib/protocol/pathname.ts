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
