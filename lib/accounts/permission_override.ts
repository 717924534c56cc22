/**
 * Permissions that hold in a part of an account's tree instead of the account's own.
 *
 * @module
 */

import type { CallOptions, FileSystem } from "../filesystem/filesystem.ts";
import { FileSystemError } from "../filesystem/filesystem_error.ts";
import { hasForbiddenCharacter, isWithin, parentPath, resolvePathname } from "../protocol/pathname.ts";
import { assertPermissions } from "./permission.ts";

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
  /** Other letters for parts of the tree, one override for each path. */
  readonly overrides: readonly PermissionOverride[];
  /** Tells which paths are directories. */
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

/** Gives the overrides with a copy of one more; an earlier one of the same path is replaced. */
export function withOverride(
  overrides: readonly PermissionOverride[],
  override: PermissionOverride,
): readonly PermissionOverride[] {
  return [...overrides.filter(({ path }) => path !== override.path), { ...override }];
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
 * import { findPermissions, MemoryFileSystem } from "@ftpsd/ftpsd";
 *
 * const overrides = [{ path: "/archive", permissions: "elr", recursive: true }];
 * const rights = { permissions: "elrw", overrides, fileSystem: new MemoryFileSystem() };
 * const { signal } = new AbortController();
 * console.assert(await findPermissions(rights, "/archive/2026/report.txt", { signal }) === "elr");
 * ```
 */
export async function findPermissions(rights: AccountRights, path: string, options: CallOptions): Promise<string> {
  // All that contain the path lie on one line from the root, so the longest is the deepest.
  const containing = rights.overrides
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
