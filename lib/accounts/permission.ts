/**
 * Permission letters, as pyftpdlib's users know them; overrides of them for parts of an account's tree; and what anonymous
 * must not have: writing has to be asked for by name.
 *
 * @module
 */

import { type CallOptions, type FileSystem, FileSystemError } from "../filesystem/filesystem.ts";
import { hasForbiddenCharacter, isWithin, parentPath, resolvePathname } from "../protocol/pathname.ts";

/**
 * One right of an account:
 *
 * | letter | right | commands |
 * | --- | --- | --- |
 * | `e` | enter directories | CWD CDUP |
 * | `l` | list | LIST NLST MLSD MLST STAT SIZE MDTM |
 * | `r` | read files | RETR HASH XCRC XMD5 XSHA1 XSHA256 XSHA512 |
 * | `a` | append to files | APPE |
 * | `d` | delete files and directories | DELE RMD |
 * | `f` | rename | RNFR RNTO |
 * | `m` | make directories | MKD |
 * | `w` | store files | STOR STOU AVBL |
 * | `M` | change permission bits | SITE CHMOD, SITE UMASK, MFF |
 * | `T` | change times | MFMT, MDTM with a time, SITE UTIME, MFF |
 */
export type PermissionLetter = "e" | "l" | "r" | "a" | "d" | "f" | "m" | "w" | "M" | "T";

/** The letters that change nothing. */
export const READ_PERMISSIONS = "elr";

/** The letters that change something. */
export const WRITE_PERMISSIONS = "adfmwMT";

/** All letters. */
export const ALL_PERMISSIONS: string = READ_PERMISSIONS + WRITE_PERMISSIONS;

/**
 * Checks that every character is a permission letter.
 *
 * @throws {SyntaxError} When one is not.
 */
export function assertPermissions(letters: string): void {
  for (const letter of letters) {
    if (!ALL_PERMISSIONS.includes(letter)) {
      throw new SyntaxError(`Cannot use permissions "${letters}": "${letter}" is not one of ${ALL_PERMISSIONS}`);
    }
  }
}

/** Returns whether any of the letters can change something. */
export function hasWritePermission(letters: string): boolean {
  return [...letters].some((letter) => WRITE_PERMISSIONS.includes(letter));
}

/**
 * Other permissions for a directory. Paths are compared by component and letter by letter; where several overrides hold,
 * the one of the deepest path wins.
 */
export interface PermissionOverride {
  /** Virtual path of the directory: absolute and normalised, with the account's home as `/`. It need not exist. */
  readonly path: string;
  /** Letters that hold there, none to close it. */
  readonly permissions: string;
  /**
   * Whether it holds for all that is below, too. Otherwise only for the directory itself and what is directly in it and
   * is not a directory.
   *
   * @default false
   */
  readonly recursive?: boolean;
}

/** What decides about the rights of an account. */
export interface AccountRights {
  /** Letters that hold where no override does. */
  readonly permissions: string;
  /** Other letters for parts of the tree; of several for one path the last holds. */
  readonly overrides: readonly PermissionOverride[];
  /** Returns which paths are directories. */
  readonly fileSystem: FileSystem;
}

/**
 * Checks letters and path of an override.
 *
 * @throws {SyntaxError} When a letter is unknown, or the path is not absolute and normalised.
 */
export function assertOverride(override: PermissionOverride): void {
  const { path, permissions } = override;
  assertPermissions(permissions);
  if (hasForbiddenCharacter(path) || resolvePathname("/", path) !== path) {
    throw new SyntaxError(
      `Cannot override permissions of ${JSON.stringify(path)}: it must be absolute, without ".", ".." and final "/"`,
    );
  }
}

/**
 * Finds the letters that hold for a path: for `hasPermission()` of an account of one's own.
 *
 * @param path Virtual path: absolute and normalised. It need not exist.
 * @param options.signal Handed to the file system.
 * @throws {FileSystemError} When it depends on whether the path is a directory, and the file system does not tell.
 *
 * @example
 * ```ts
 * import { findPermissions, InsecureConfigurationError, MemoryFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const overrides = [{ path: "/archive", permissions: "elr", recursive: true }];
 * const rights = { permissions: "elrw", overrides, fileSystem: new MemoryFileSystem() };
 * const { signal } = new AbortController();
 * console.assert(await findPermissions(rights, "/archive/2026/report.txt", { signal }) === "elr");
 * ```
 */
export async function findPermissions(rights: AccountRights, path: string, options: CallOptions): Promise<string> {
  // All that contain the path lie on one line from the root, so the longest is the deepest.
  const containing = [...new Map(rights.overrides.map((override) => [override.path, override])).values()]
    .filter((override) => isWithin(override.path, path))
    .sort((one, other) => other.path.length - one.path.length);
  for (const override of containing) {
    if (await appliesTo(override, path, (path) => isDirectory(rights.fileSystem, path, options))) {
      return override.permissions;
    }
  }
  return rights.permissions;
}

async function appliesTo(
  override: PermissionOverride,
  path: string,
  isDirectory: (path: string) => Promise<boolean>,
): Promise<boolean> {
  if (override.recursive || override.path === path) return true;
  return override.path === parentPath(path) && !await isDirectory(path);
}

async function isDirectory(fileSystem: FileSystem, path: string, options: CallOptions): Promise<boolean> {
  try {
    return (await fileSystem.stat(path, options)).type === "directory";
  } catch (error) {
    if (error instanceof FileSystemError && (error.kind === "notFound" || error.kind === "notDirectory")) return false;
    throw error;
  }
}

/** Name of the user whose password may be anything (RFC 1635). */
export const ANONYMOUS = "anonymous";

/** Returns whether clients mean anonymous by a name: `anonymous` or `ftp` (RFC 1635 §1), in any case. */
export function namesAnonymous(username: string): boolean {
  return /^(?:anonymous|ftp)$/i.test(username);
}

/**
 * Checks that permissions meant for anonymous change nothing.
 *
 * @throws {InsecureConfigurationError} Risk `"anonymous-write"` when a letter lets anonymous change something.
 */
export function assertAnonymousReadOnly(permissions: string): void {
  const writing = [...WRITE_PERMISSIONS].filter((letter) => permissions.includes(letter));
  if (writing.length === 0) return;
  const advice = writing.length === 1 ? "lets anybody write; remove it" : "let anybody write; remove them";
  throw new InsecureConfigurationError(
    "anonymous-write",
    `Cannot give ${ANONYMOUS} the permissions "${permissions}": "${writing.join('", "')}" ${advice}, or set forceWrite`,
  );
}

/**
 * A setting that would open the server, and was not asked for by name. The message says what is wrong and what to do.
 *
 * @example
 * ```ts
 * import { InsecureConfigurationError, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * try {
 *   new VirtualAuthorizer().addAnonymous("/srv/ftp/incoming", { permissions: "elrw" });
 * } catch (error) {
 *   if (!(error instanceof InsecureConfigurationError)) throw error;
 *   console.error(error.risk); // anonymous-write
 * }
 * ```
 */
export class InsecureConfigurationError extends Error {
  /** Name of the class. */
  override readonly name = "InsecureConfigurationError";
  /** Id of the risk, such as `"anonymous-write"`: the name by which it can be accepted. */
  readonly risk: string;

  /** Makes an error for the risk of the given id. */
  constructor(risk: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.risk = risk;
  }
}
