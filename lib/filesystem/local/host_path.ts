/**
 * Host paths: how virtual paths map to the paths of a POSIX or Windows system below a root, and which names may be used
 * there. Pure text: nothing here looks at a disk.
 *
 * Windows rules follow Microsoft's "Naming Files, Paths, and Namespaces".
 *
 * @module
 */

import { randomSuffix } from "../../protocol/pathname.ts";
import { FileSystemError } from "../filesystem.ts";

/** How a family of systems writes paths and which names it allows. */
export interface PathRules {
  /** Between the components of a host path. */
  readonly separator: "/" | "\\";
  /** Splits a host path into components. */
  readonly separators: RegExp;
  /** A name that matches one of these is refused. */
  readonly forbidden: readonly RegExp[];
  /** Whether two names that differ in case alone are the same. */
  readonly ignoreCase: boolean;
}

/** Rules of Linux, macOS and the BSDs; CR and LF are legal there, but a reply or listing cannot carry them. */
export const POSIX_RULES: PathRules = {
  separator: "/",
  separators: /\//,
  forbidden: [/[\0\r\n/]/],
  ignoreCase: false,
};

/** Rules of Windows. */
export const WINDOWS_RULES: PathRules = {
  separator: "\\",
  separators: /[\\/]/,
  forbidden: [
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    /[\x00-\x1f\\/:*?"<>|]/,
    /[. ]$/,
    // Devices, also with an extension; the spaces before it are dropped by the system
    /^(?:CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³]|CONIN\$|CONOUT\$) *(?:\.|$)/i,
    // Short (8.3) forms name a file a second time, past any rule for its long name
    /^(?=[^.]{1,8}(?:\.|$))[^.]*~[0-9]{1,6}(?:\.[^.]{0,3})?$/,
  ],
  ignoreCase: true,
};

/** Rules of the system this runs on. */
export const HOST_RULES: PathRules = Deno.build.os === "windows" ? WINDOWS_RULES : POSIX_RULES;

/** Returns whether a name, one component of a path, can be used under the rules. */
export function isAllowedName(name: string, rules: PathRules): boolean {
  // A listing asks it of each entry
  for (const pattern of rules.forbidden) if (pattern.test(name)) return false;
  return name !== "" && name !== "." && name !== "..";
}

/**
 * Splits a virtual path into its names; the root has none.
 *
 * @throws {FileSystemError} Kind `"notFound"` for a path that is not absolute and normalised, `"invalidName"` for a name that
 * the rules forbid.
 */
export function pathNames(path: string, rules: PathRules): string[] {
  if (path === "/") return [];
  const names = path.slice(1).split("/");
  if (!path.startsWith("/") || names.some((name) => name === "" || name === "." || name === "..")) {
    throw new FileSystemError("notFound", `Cannot use path "${path}": it is not absolute and normalised`);
  }
  const refused = names.find((name) => !isAllowedName(name, rules));
  if (refused === undefined) return names;
  throw new FileSystemError("invalidName", `Cannot use path "${path}": "${refused}" is no name on this system`);
}

/** Joins a host path and names below it; a root such as `/`, `D:\` or `\\server\share\` keeps its one separator. */
export function joinHostPath(root: string, names: readonly string[], rules: PathRules): string {
  if (names.length === 0) return root;
  const { separator } = rules;
  const start = rules.separators.test(root.at(-1) ?? "") ? root : root + separator;
  return start + names.join(separator);
}

/** The directory that a host path below a root is in. */
export function parentHostPath(hostPath: string, rules: PathRules): string {
  return hostPath.slice(0, hostPath.lastIndexOf(rules.separator));
}

/**
 * Returns which names lead from a root to a resolved path.
 *
 * @param root Absolute host path, resolved.
 * @param resolved Absolute host path, resolved.
 * @returns The names, none for the root itself, or `undefined` when the path is not within the root.
 */
export function namesWithin(root: string, resolved: string, rules: PathRules): string[] | undefined {
  const above = components(root, rules);
  const all = components(resolved, rules);
  if (all.includes("..") || all.length < above.length) return undefined;
  return above.every((name, index) => isSameName(name, all[index] ?? "", rules)) ? all.slice(above.length) : undefined;
}

function components(path: string, rules: PathRules): string[] {
  const parts = path.split(rules.separators);
  const names = parts.filter((part) => part !== "" && part !== ".");
  // What is before the names distinguishes "/x" from "x", and "\\server" from "\server"
  const isShare = rules === WINDOWS_RULES && parts[0] === "" && parts[1] === "";
  return isShare ? ["", "", ...names] : parts[0] === "" ? ["", ...names] : names;
}

function isSameName(one: string, other: string, rules: PathRules): boolean {
  if (one === other || !rules.ignoreCase) return one === other;
  // Both foldings, since each alone makes pairs equal that Windows keeps apart: "ß" and "SS", the Kelvin sign and "k"
  return one.toUpperCase() === other.toUpperCase() && one.toLowerCase() === other.toLowerCase();
}

/** Names of files that are being uploaded and not in their place yet. They are reserved: neither listed nor reached. */
const PART_REGEXP = /^\.ftpsd-[0-9a-z]{8}\.part$/i;

/** Makes a name for an upload, which nothing has. */
export function createPartName(): string {
  return `.ftpsd-${randomSuffix()}.part`;
}

/** Returns whether a name is one of an upload that is not in its place yet. */
export function isPartName(name: string): boolean {
  return PART_REGEXP.test(name);
}
