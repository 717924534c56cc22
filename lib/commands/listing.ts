/**
 * Listings: LIST, NLST, STAT with a path (RFC 959 §4.1.3), MLSD, MLST (RFC 3659 §7).
 *
 * @module
 */

import type { Account } from "../auth/authorizer.ts";
import { sendLines } from "../data/copy.ts";
import type { DirectoryEntry, FileInfo } from "../filesystem/filesystem.ts";
import { type FactName, formatFacts, modeFact, permFact } from "../protocol/facts.ts";
import { baseName } from "../protocol/pathname.ts";
import { multilineReply, type Reply, reply } from "../protocol/reply.ts";
import type { Session } from "../session/session.ts";
import { formatTimeValue } from "../protocol/time_value.ts";
import { formatListLine } from "../protocol/unix_listing.ts";
import { type CommandContext, type CommandRequest, requestPath } from "./command.ts";
import { FILE_OKAY } from "./restart.ts";

/** LIST: a directory's entries by name, or one file. */
export function list(context: CommandContext, request: CommandRequest): Promise<Reply> {
  return sendListing(context, requestPath(request), (entry) => listLine(context, entry));
}

/** NLST: names only. */
export function nameList(context: CommandContext, request: CommandRequest): Promise<Reply> {
  return sendListing(context, requestPath(request), (entry) => entry.name);
}

/** STAT with a path: the lines of LIST on the control connection. */
export async function statusOfPath(context: CommandContext, path: string): Promise<Reply> {
  const lines: string[] = [];
  const view = viewOf(context);
  const info = await view.account.fileSystem.stat(path);
  for await (const entry of sortedEntries(view, path, info)) lines.push(listLine(context, entry));
  return multilineReply(213, [`Status of "${path}":`, ...lines, "End of status."]);
}

/** MLSD: facts of each entry of a directory, in the order of the file system. */
export async function machineList(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const view = viewOf(context);
  const { facts } = context.session;
  const info = await view.account.fileSystem.stat(path);
  if (info.type !== "directory") return reply(501, "No such directory.");
  return await transferLines(context, view, factLines(view, path, facts));
}

/** MLST: facts of one path, on the control connection. */
export async function machineListOne(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const { account, session } = context;
  const info = await account.fileSystem.stat(path);
  return multilineReply(250, [`Listing "${path}":`, ` ${factLine(account, info, path, session.facts)}`, "End MLST."]);
}

/** What a listing obeys from its start on, whatever commands beside it change. */
type View = Pick<Session, "encoding"> & { readonly account: Account };

function viewOf({ account, session }: CommandContext): View {
  return { account, encoding: session.encoding };
}

async function sendListing(
  context: CommandContext,
  path: string,
  format: (entry: DirectoryEntry) => string,
): Promise<Reply> {
  const view = viewOf(context);
  // Asked first, so that a path that is not there opens no data connection.
  const info = await view.account.fileSystem.stat(path);
  return await transferLines(context, view, formatted(sortedEntries(view, path, info), format));
}

function transferLines(context: CommandContext, { encoding }: View, lines: AsyncIterable<string>): Promise<Reply> {
  return context.transferData({
    direction: "send",
    announcement: FILE_OKAY,
    body: (connection, transfer) => sendLines(lines, connection, transfer, encoding),
  });
}

async function* formatted(
  entries: AsyncIterable<DirectoryEntry>,
  format: (entry: DirectoryEntry) => string,
): AsyncGenerator<string> {
  for await (const entry of entries) yield format(entry);
}

async function* sortedEntries(view: View, path: string, info: FileInfo): AsyncGenerator<DirectoryEntry> {
  if (info.type !== "directory") return yield { name: baseName(path), info };
  const entries = await Array.fromAsync(sendableEntries(view, path));
  yield* entries.sort((one, other) => one.name < other.name ? -1 : 1);
}

/** Entries but those whose names the client could not send back. */
async function* sendableEntries({ account, encoding }: View, path: string): AsyncGenerator<DirectoryEntry> {
  for await (const entry of account.fileSystem.list(path)) if (encoding.canEncode(entry.name)) yield entry;
}

function listLine(context: CommandContext, entry: DirectoryEntry): string {
  const local = context.settings.times === "local";
  return formatListLine({ ...entry.info, name: entry.name }, new Date(), { local });
}

async function* factLines(view: View, path: string, facts: readonly FactName[]): AsyncGenerator<string> {
  for await (const { name, info } of sendableEntries(view, path)) yield factLine(view.account, info, name, facts);
}

function factLine(account: Account, info: FileInfo, name: string, selected: readonly FactName[]): string {
  return `${formatFacts(factsOf(account, info), selected)} ${name}`;
}

function factsOf(account: Account, info: FileInfo): Partial<Record<FactName, string>> {
  const facts: Partial<Record<FactName, string>> = {
    perm: permFact(account.permissions, info.type),
    size: String(info.size),
    type: TYPE_FACTS[info.type],
  };
  const modify = info.modified && formatTimeValue(info.modified);
  if (modify !== undefined) facts.modify = modify;
  if (info.unique !== undefined) facts.unique = info.unique;
  if (info.mode !== undefined) facts["unix.mode"] = modeFact(info.mode);
  if (info.uid !== undefined) facts["unix.uid"] = String(info.uid);
  if (info.gid !== undefined) facts["unix.gid"] = String(info.gid);
  return facts;
}

/** `other` has no standard name (RFC 3659 §7.5.1.5). */
const TYPE_FACTS = { file: "file", directory: "dir", other: "OS.unix=special" } as const;
