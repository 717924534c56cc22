/**
 * Opens and creates files of the host, and checks once they are open that they are regular and inside the root.
 *
 * They are opened through `node:fs`, since only that can ask for O_NONBLOCK: a FIFO put in a file's place between look-up
 * and opening would otherwise hang the server. Its `fstat` also works where the runtime's permissions name the root by a
 * link.
 *
 * @module
 */

import { closeSync, constants, existsSync, fstatSync, openSync, type Stats } from "node:fs";
import type { Containment } from "./containment.ts";
import { lstatIfThere } from "./path_resolver.ts";
import {
  type FileIdentity,
  type HostLocation,
  isOtherFile,
  isSameFile,
  type LocatedFile,
  type RecalledName,
  unique,
} from "./path_snapshot.ts";
import type { FileClaims } from "../file_claims.ts";
import { FileSystemError } from "../filesystem.ts";
import { isLost, type Lease } from "../../shared_port.ts";
import { StateUnavailableError } from "../../state/state.ts";

/** Flag of {@linkcode openRegular} for reading. */
export const READ: number = constants.O_RDONLY;

/** Flag of {@linkcode openRegular} for writing. */
export const WRITE: number = constants.O_WRONLY;

/** Flags of {@linkcode openRegular} for writing at the end, wherever that is then. */
export const APPEND: number = constants.O_WRONLY | constants.O_APPEND;

const IS_WINDOWS = Deno.build.os === "windows";

/** How long something is tried whose path leads here and there: some times as long as one needs to swap it again. */
const UNDO_TIMEOUT_MS = 20;

/** An open file, closed by whoever opened it or took it over. */
export interface OpenFile {
  /** Descriptor. */
  readonly fd: number;
  /** Attributes when it was opened. */
  readonly stats: Stats;
}

/** Throws unless something is a regular file: kinds `"isDirectory"`, `"notRegularFile"`. */
export function assertRegular(info: { readonly isFile: boolean; readonly isDirectory: boolean }): void {
  if (info.isDirectory) throw new FileSystemError("isDirectory", "Cannot open a directory as a file");
  if (!info.isFile) throw new FileSystemError("notRegularFile", "Cannot open a FIFO, device or socket");
}

/**
 * Opens an existing regular file without changing it, whatever it may be.
 *
 * @param located As found by `containment`.
 * @throws {FileSystemError} Kind `"notFound"` when what was opened is not inside the root.
 */
export function openRegular(containment: Containment, located: LocatedFile, flags: number): OpenFile {
  // Before opening too: some devices act on being opened
  assertRegular(located.info);
  const file = openInside(containment, located, flags);
  try {
    assertRegular({ isFile: file.stats.isFile(), isDirectory: file.stats.isDirectory() });
    return file;
  } catch (error) {
    closeSync(file.fd);
    throw error;
  }
}

/**
 * Opens a regular file that was recalled, without changing it.
 *
 * @returns `undefined` where anything is not as it was: then it has to be looked up as usual, which says what is wrong.
 */
export function openRecalled({ hostPath, info, snapshot }: RecalledName, flags: number): OpenFile | undefined {
  if (!info?.isFile) return undefined;
  let fd: number | undefined;
  try {
    fd = openSync(hostPath, nonBlockingNoFollow(flags));
    const stats = fstatSync(fd);
    if (stats.isFile() && isSameFile(info, stats) && snapshot.isUnchanged()) return { fd, stats };
  } catch {
    // Of another folder, maybe, that is there by now: nothing of it may be told
  }
  if (fd !== undefined) closeSync(fd);
  return undefined;
}

function openInside(containment: Containment, located: LocatedFile, flags: number): OpenFile {
  const fd = openSync(located.hostPath, nonBlockingNoFollow(flags));
  try {
    const stats = fstatSync(fd);
    if (!containment.contains(located, stats)) throw movedOutside();
    return { fd, stats };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Creates a file for writing.
 *
 * @param name As found by `containment`.
 * @param mode Permission bits, of which the process's umask takes away some.
 * @throws {FileSystemError} Kind `"notFound"` when it came to be outside the root; it was removed again then,
 * if it could be reached.
 */
export function createRegular(containment: Containment, name: HostLocation, mode: number): OpenFile {
  containment.assertStable(name);
  return createStable(containment, name, mode);
}

/** Does the same where it was just made sure that nobody exchanges the folders on the path. */
export function createStable(containment: Containment, name: HostLocation, mode: number): OpenFile {
  const { hostPath } = name;
  const fd = openSync(hostPath, nonBlockingNoFollow(constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL), mode);
  const stats = fstatSync(fd);
  if (containment.containsCreated(name, stats)) return { fd, stats };
  try {
    undoCreate(hostPath, stats);
  } finally {
    closeSync(fd);
  }
  throw movedOutside();
}

/**
 * Creates a directory.
 *
 * @param name As found by `containment`.
 * @param mode Permission bits, of which the process's umask takes away some.
 * @throws {FileSystemError} Kind `"notFound"` when it came to be outside the root; it was removed again then,
 * if it could be reached.
 */
export function createDirectory(containment: Containment, name: HostLocation, mode: number): void {
  containment.assertStable(name);
  const { hostPath, snapshot } = name;
  const start = Math.floor(Date.now() / 1000) * 1000;
  Deno.mkdirSync(hostPath, { mode });
  if (snapshot.isUnchanged() || isMadeInside(containment, name)) return;
  retryWhileThere(hostPath, () => removeMadeSince(start, hostPath));
  throw movedOutside();
}

/**
 * Tries something as often as a path leads to anything, until it is done. Nobody else of this process comes between; that
 * nothing is there is asked in the quickest way, since the path may lead there for some microseconds only.
 */
function retryWhileThere(hostPath: string, isDone: () => boolean): void {
  const end = performance.now() + UNDO_TIMEOUT_MS;
  while (!(existsSync(hostPath) && isDone()) && performance.now() < end);
}

function isMadeInside(containment: Containment, name: HostLocation): boolean {
  const info = lstatIfThere(name.hostPath);
  return info !== undefined && containment.contains({ ...name, info });
}

/** Removes a directory that was just made, by a path that may lead to an older one of the same name as well. */
function removeMadeSince(start: number, hostPath: string): boolean {
  return removeIf(hostPath, ({ isDirectory, ctime }) => isDirectory && ctime !== null && ctime.getTime() >= start);
}

/**
 * How long a file may be claimed that is gone, because another event loop has removed it and does not write it any more: its
 * number may have been given to a new file meanwhile.
 */
const STALE_CLAIM_MS = 1_000;
const CLAIM_RETRY_MS = 5;

/**
 * Claims a file that was just opened; closes it where that is refused, and removes a new one that nobody else has claimed.
 *
 * @param options.isNew Whether it was created, so that a claim on its number is that of a file that is gone, which ends soon.
 * @throws {FileSystemError} Kind `"busy"`.
 */
export async function claimOpened(
  claims: FileClaims,
  file: OpenFile,
  { hostPath, isNew, signal }: {
    readonly hostPath: string;
    readonly isNew: boolean;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Lease> {
  const end = isNew ? performance.now() + STALE_CLAIM_MS : 0;
  while (true) {
    try {
      return await claims.claim(unique(file.stats) ?? hostPath, signal);
    } catch (error) {
      const isHeld = isRefusedClaim(error);
      if (!isHeld || performance.now() >= end) {
        closeSync(file.fd);
        if (isNew && !isHeld) undoCreate(hostPath, file.stats);
        throw error;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, CLAIM_RETRY_MS));
  }
}

/** Returns whether somebody else has the file, and it is not only unknown. */
function isRefusedClaim(error: unknown): boolean {
  return error instanceof FileSystemError && error.kind === "busy" && !(error.cause instanceof StateUnavailableError);
}

/**
 * Refuses to go on with a file that somebody else may be writing by now.
 *
 * @throws {FileSystemError} Kind `"busy"`.
 */
export function assertNotLost(claim: Lease, path: string): void {
  if (!isLost(claim)) return;
  const cause = claim.lost?.reason;
  throw new FileSystemError("busy", `Cannot write "${path}": the claim on it was lost`, { cause });
}

/** A name that something is about to take from what has it. */
export interface TakenName {
  readonly hostPath: string;
  /** What has it now, a link itself. */
  readonly info: Deno.FileInfo | undefined;
}

/**
 * Claims a file whose name is about to be taken from it, so that nobody is writing it.
 *
 * @returns Where no regular file has the name, a claim of nothing.
 * @throws {FileSystemError} Kind `"busy"`.
 */
export async function claimReplaced(
  claims: FileClaims,
  { hostPath, info }: TakenName,
  signal: AbortSignal | undefined,
): Promise<Lease> {
  return info?.isFile ? await claims.claim(unique(info) ?? hostPath, signal) : new DisposableStack();
}

/**
 * Refuses to take a name from another file than was claimed.
 *
 * @throws {FileSystemError} Kind `"busy"`.
 */
export function assertStillTaken({ hostPath, info }: TakenName, now: Deno.FileInfo | undefined): void {
  const isSame = info === undefined ? !now?.isFile : now === undefined || !isOtherFile(info, now);
  if (!isSame) throw new FileSystemError("busy", `Cannot take the name "${hostPath}": another file has just taken it`);
}

/** Removes a file that came to be outside the root, by a path that leads here and there in turn. */
export function undoCreate(hostPath: string, file: FileIdentity): void {
  retryWhileThere(hostPath, () => removeIfSame(hostPath, file));
}

/**
 * Removes a file, unless another one has its name by now.
 *
 * @returns Whether it was removed.
 */
export function removeIfSame(hostPath: string, file: FileIdentity): boolean {
  return removeIf(hostPath, (info) => !isOtherFile(info, file));
}

function removeIf(hostPath: string, isToGo: (info: Deno.FileInfo) => boolean): boolean {
  try {
    if (!isToGo(Deno.lstatSync(hostPath))) return false;
    Deno.removeSync(hostPath);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/**
 * Changes attributes of an open file or directory, which no link can stand in for; of what cannot be opened, such as a
 * FIFO or a file that nobody may read, by its path.
 */
export function changeAttributes(
  containment: Containment,
  located: LocatedFile,
  change: { readonly ofOpenFile: (fd: number) => void; readonly byPath: (hostPath: string) => void },
): void {
  // The runtime asks for no permission where a file is open
  const { state } = Deno.permissions.querySync({ name: "write", path: located.hostPath });
  if (state !== "granted") {
    throw new FileSystemError("permissionDenied", "Cannot change attributes without --allow-write");
  }
  const file = openIfPossible(containment, located);
  if (file === undefined) {
    containment.assertStable(located);
    change.byPath(located.hostPath);
    return;
  }
  try {
    change.ofOpenFile(file.fd);
  } finally {
    closeSync(file.fd);
  }
}

function openIfPossible(containment: Containment, located: LocatedFile): OpenFile | undefined {
  const { isFile, isDirectory } = located.info;
  if (IS_WINDOWS || !(isFile || isDirectory)) return undefined;
  try {
    return openInside(containment, located, READ);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EACCES") return undefined;
    throw error;
  }
}

/** Adds what keeps an opening from waiting and from following a link, where the system has it. */
export function nonBlockingNoFollow(flags: number): number {
  // Windows has neither flag
  return flags | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
}

function movedOutside(): FileSystemError {
  return new FileSystemError("notFound", "Cannot use file: it was moved outside the root meanwhile");
}
