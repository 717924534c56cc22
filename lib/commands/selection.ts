/**
 * What a pathname of LIST, NLST and STAT selects: the entries of a directory, one entry, or the entries that a pattern
 * matches. Only the last component can be a pattern, and only where nothing has that very name.
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";
import type { Transfer } from "../data/transfer.ts";
import { yieldToEventLoop } from "../deadline.ts";
import { batchesOf, EntryBatches } from "../filesystem/entry_batches.ts";
import {
  type CallOptions,
  type DirectoryEntry,
  type FileInfo,
  type FileSystem,
  FileSystemError,
} from "../filesystem/filesystem.ts";
import { baseName, joinPathname, parentPath } from "../protocol/pathname.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import { hasWildcard, parseWildcard, type Wildcard } from "../protocol/wildcard.ts";
import { type CommandRequest, hasPermission, requestPath, statIfThere } from "./command.ts";

/** What is to be listed. */
export type Selection =
  | { readonly kind: "directory"; readonly path: string }
  | { readonly kind: "entry"; readonly path: string; readonly info: FileInfo }
  | { readonly kind: "matches"; readonly path: string; readonly pattern: Wildcard };

/** Whose files are listed, from the start on: another user may log in while they are. */
export interface ListedFiles {
  readonly account: Account;
  readonly fileSystem: FileSystem;
  /** The transfer that runs, that of the listing or another one. */
  readonly transfer: Transfer | undefined;
}

/** Steps of comparing in one go, a few milliseconds. */
const MAX_BATCH_STEPS = 1_000_000;

/** Flags of `ls` with the one that asks for all levels. */
const RECURSIVE_REGEXP = /(?:^| )-[A-Za-z1]*R/;

/**
 * Finds what a request selects. What is not there is refused here, before any connection is opened; a pattern that
 * nothing matches selects nothing.
 *
 * @returns A reply when it is refused.
 * @throws {FileSystemError} When nothing is there.
 */
export async function select(files: ListedFiles, request: CommandRequest): Promise<Selection | Reply> {
  const path = requestPath(request);
  const flags = request.argument.slice(0, request.argument.length - request.pathname.length);
  // A listing of one level would be taken for that of all.
  if (RECURSIVE_REGEXP.test(flags)) return reply(504, "Recursive listings are not offered.");
  const missing = hasWildcard(baseName(path)) ? ["notFound", "invalidName"] as const : [];
  const info = await statIfThere(files.fileSystem, path, request, missing);
  if (info?.type === "directory") return { kind: "directory", path };
  if (info !== undefined) return { kind: "entry", path, info };
  const directory = parentPath(path);
  if (!await hasPermission(files.account, "l", directory, request)) return reply(550, "Not enough privileges.");
  if ((await files.fileSystem.stat(directory, request)).type !== "directory") {
    throw new FileSystemError("notDirectory", `Not a directory: "${directory}"`);
  }
  return { kind: "matches", path: directory, pattern: parseWildcard(baseName(path)) };
}

/** The entries of a selection by name. */
export async function entriesOf(
  files: ListedFiles,
  selection: Selection,
  options: CallOptions,
): Promise<AsyncIterable<DirectoryEntry> | DirectoryEntry[]> {
  const { path } = selection;
  if (selection.kind === "entry") return [{ name: baseName(path), info: selection.info }];
  const { account, fileSystem, transfer } = files;
  const entries = selected(account, selection, fileSystem.list(path, options), options);
  if (fileSystem.listsSorted) return entries;
  const gathered: DirectoryEntry[] = [];
  for await (const batch of batchesOf(entries)) {
    for (const entry of batch) gathered.push(entry);
    if (transfer?.signal === options.signal) transfer.touch(); // its own, not one beside STAT
  }
  return gathered.sort((one, other) => one.name < other.name ? -1 : 1);
}

/** The same, of which only the names count. */
export async function namesOf(
  files: ListedFiles,
  selection: Selection,
  options: CallOptions,
): Promise<AsyncIterable<DirectoryEntry | string> | DirectoryEntry[]> {
  const { account, fileSystem } = files;
  if (selection.kind === "entry" || fileSystem.listNames === undefined) {
    return await entriesOf(files, selection, options);
  }
  return selected(account, selection, fileSystem.listNames(selection.path, options), options);
}

/** Returns the name of an entry that may be nothing else. */
export function nameOf(entry: DirectoryEntry | string): string {
  return typeof entry === "string" ? entry : entry.name;
}

/** What a pattern matches and the user may list; all where there is no pattern. */
function selected<Entry extends DirectoryEntry | string>(
  account: Account,
  selection: Selection,
  entries: AsyncIterable<Entry>,
  options: CallOptions,
): AsyncIterable<Entry> {
  if (selection.kind !== "matches") return entries;
  return new EntryBatches(matching(account, selection, entries, options));
}

async function* matching<Entry extends DirectoryEntry | string>(
  account: Account,
  { path, pattern }: Selection & { readonly kind: "matches" },
  entries: AsyncIterable<Entry>,
  options: CallOptions,
): AsyncGenerator<readonly Entry[], void, undefined> {
  let steps = 0;
  for await (const batch of batchesOf(entries)) {
    const matches: Entry[] = [];
    for (const entry of batch) {
      const name = nameOf(entry);
      steps += name.length * Math.min(name.length, pattern.stepsPerCharacter) + 1;
      if (steps > MAX_BATCH_STEPS) {
        steps = 0;
        await yieldToEventLoop();
        options.signal.throwIfAborted();
      }
      if (!pattern.matches(name)) continue;
      if (await hasPermission(account, "l", joinPathname(path, name), options)) matches.push(entry);
    }
    if (matches.length > 0) yield matches;
  }
}
