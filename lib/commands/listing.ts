/**
 * Listings: LIST, NLST, STAT with a path (RFC 959 §4.1.3), MLSD, MLST (RFC 3659 §7).
 *
 * @module
 */

import { sendLines } from "../data/copy.ts";
import { batchesOf, EntryBatches } from "../filesystem/entry_batches.ts";
import type { DirectoryEntry, FileInfo } from "../filesystem/filesystem.ts";
import { FactFormatter } from "../protocol/fact_formatter.ts";
import type { FactName } from "../protocol/facts.ts";
import { baseName, relativePathname } from "../protocol/pathname.ts";
import { multilineReply, type Reply, reply } from "../protocol/reply.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import { ListLineFormatter } from "../protocol/unix_listing.ts";
import { type CommandContext, type CommandRequest, requestPath } from "./command.ts";
import { FILE_OKAY } from "./file_transfer.ts";
import { entriesOf, type ListedFiles, nameOf, namesOf, select } from "./selection.ts";

/** LIST: a directory's entries by name, one file, or what a pattern matches. */
export async function list(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const view = viewOf(context);
  const selection = await select(view, request);
  if ("code" in selection) return selection;
  return await transferLines(
    context,
    view,
    await entriesOf(view, selection, request),
    (entry) => view.listLine(entry, selection.path),
  );
}

/** NLST: the names of a directory's entries; of one file and of what a pattern matches pathnames that RETR takes. */
export async function nameList(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const view = viewOf(context);
  const selection = await select(view, request);
  if ("code" in selection) return selection;
  const before = selection.kind === "directory" ? "" : pathBefore(request);
  return await transferLines(
    context,
    view,
    await namesOf(view, selection, request),
    (entry) => before + nameOf(entry),
  );
}

/** What is before the last component, as the client wrote it (RFC 1123 §4.1.2.7: legal for a RETR that follows). */
function pathBefore(request: CommandRequest): string {
  const path = requestPath(request);
  const { pathname } = request;
  const before = pathname.slice(0, pathname.lastIndexOf("/") + 1);
  // After "dir/file/" or "dir/x/../file/." only the whole path is sure to lead there.
  return pathname === before + baseName(path) ? before : path.slice(0, path.lastIndexOf("/") + 1);
}

/** STAT with a path: the lines of LIST on the control connection. */
export async function statusOfPath(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const view = viewOf(context);
  const selection = await select(view, request);
  if ("code" in selection) return selection;
  const lines: string[] = [];
  for await (const entry of await entriesOf(view, selection, request)) {
    if (view.isSendable(entry.name)) lines.push(view.listLine(entry, selection.path));
  }
  const code = selection.kind === "entry" ? 213 : 212;
  return multilineReply(code, [`Status of "${requestPath(request)}":`, ...lines, "End of status."]);
}

/** MLSD: facts of the directory and then of each entry, in the order of the file system. */
export async function machineList(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const view = viewOf(context);
  const { account, fileSystem, facts } = view;
  const formatter = new FactFormatter(account.permissions, facts);
  const info = await fileSystem.stat(path, request);
  if (info.type !== "directory") return reply(501, "No such directory.");
  const format = (entry: FactEntry) => `${formatter.format(entry.info, entry)} ${entry.name}`;
  // As ProFTPD and Pure-FTPd name it: rclone and Yafc take its pathname for a folder in itself. Without its type, nobody
  // could distinguish it from an entry.
  const itself = facts.includes("type") ? [{ name: ".", info, isListed: true }] : [];
  const { signal } = request;
  const showsTypesOnly = facts.every((name) => name === "type" || name === "perm");
  const listed = showsTypesOnly && fileSystem.listTypes?.(path, { signal }) || fileSystem.list(path, { signal });
  const entries = new EntryBatches(chain(itself, listed));
  return await transferLines(context, view, entries, format);
}

async function* chain(
  first: readonly FactEntry[],
  rest: AsyncIterable<DirectoryEntry>,
): AsyncGenerator<readonly FactEntry[], void, undefined> {
  yield first;
  yield* batchesOf(rest);
}

/**
 * MLST: facts of one path, on the control connection; a link is what it is in the listing of its directory, and an upload that
 * can go on is a file of the size that is kept.
 */
export async function machineListOne(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const { account, session } = context;
  const { fileSystem } = context;
  const kept = await fileSystem.resumable?.(path, request);
  const info = kept === undefined ? await infoOf(context, request) : { type: "file", size: kept } as const;
  const facts = new FactFormatter(account.permissions, session.facts).format(info);
  return multilineReply(250, [`Listing "${path}":`, ` ${facts} ${path}`, "End MLST."]);
}

async function infoOf({ fileSystem, session }: CommandContext, request: CommandRequest): Promise<FileInfo> {
  const path = requestPath(request);
  // The current directory is one, by whatever link the client came there
  const isEntered = path === session.directory;
  return await (isEntered ? undefined : fileSystem.lstat?.(path, request)) ?? await fileSystem.stat(path, request);
}

/** An entry of MLSD. */
interface FactEntry extends DirectoryEntry {
  /** Whether it is the directory that is listed. */
  readonly isListed?: boolean;
}

/** What a listing obeys from its start on, whatever commands beside it change. */
interface View extends ListedFiles {
  readonly encoding: TextEncoding;
  readonly facts: readonly FactName[];
  /** Returns whether the client could send a name back. */
  readonly isSendable: (name: string) => boolean;
  readonly listLine: (entry: DirectoryEntry, directory: string) => string;
}

function viewOf({ account, fileSystem, transfer, session, settings }: CommandContext): View {
  const { encoding, facts } = session;
  const lines = new ListLineFormatter(new Date(), { local: settings.times === "local" });
  return {
    account,
    fileSystem,
    transfer,
    encoding,
    facts,
    isSendable: (name) => encoding.canEncode(name),
    listLine: ({ name, info }, directory) => {
      const target = info.target === undefined ? undefined : relativePathname(directory, info.target);
      const isShown = target !== undefined && encoding.canEncode(target);
      return lines.format(name, info, isShown ? target : undefined);
    },
  };
}

/** Sends a line for each entry but those whose names the client could not send back. */
function transferLines<Entry extends DirectoryEntry | string>(
  context: CommandContext,
  { encoding, isSendable }: View,
  entries: AsyncIterable<Entry> | Iterable<Entry>,
  format: (entry: Entry) => string,
): Promise<Reply> {
  const line = (entry: Entry) => isSendable(nameOf(entry)) ? `${format(entry)}\r\n` : "";
  return context.transferData({
    direction: "send",
    announcement: FILE_OKAY,
    body: (connection, transfer) => sendLines(entries, line, connection, transfer, encoding),
  });
}
