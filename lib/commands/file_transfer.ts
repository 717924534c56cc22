/**
 * File transfers: RETR, STOR, APPE, STOU, ALLO, ABOR (RFC 959 §4.1.3, RFC 1123 §4.1.2.9), REST (RFC 3659 §5), AVBL
 * (draft-peterson-streamlined-ftp-command-extensions).
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";
import { receiveFile, sendFile } from "../data/copy.ts";
import {
  type CreateOptions,
  type FileSystem,
  FileSystemError,
  type WritableFile,
  type WriteMode,
} from "../filesystem/filesystem.ts";
import { baseName, joinPathname, randomSuffix } from "../protocol/pathname.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import type { Settings } from "../settings/settings.ts";
import { closeFile, type CommandContext, type CommandRequest, mayRun, requestPath, requireMethod } from "./command.ts";

/** Text of the 150 that announces a data connection. */
export const FILE_OKAY = "File status okay. About to open data connection.";

/** Refuses a transfer for which neither PASV, EPSV, PORT nor EPRT was given. */
export const NO_DATA_PORT: Reply = reply(425, "Can't open data connection: use PASV or EPSV first.");

/** REST. */
export function restart(context: CommandContext, request: CommandRequest): Reply {
  const restartOffset = /^\d{1,15}$/.test(request.argument) ? Number(request.argument) : undefined;
  if (restartOffset !== 0 && convertsLineEnds(context)) {
    return reply(501, "Resuming transfers not allowed in ASCII mode.");
  }
  if (restartOffset === undefined) return reply(501, "Invalid parameter.");
  context.update({ restartOffset });
  return reply(350, `Restarting at position ${restartOffset}.`);
}

/** Returns whether bytes differ between file and wire. */
export function convertsLineEnds(context: CommandContext): boolean {
  return context.session.type === "A" && context.settings.transfer.asciiConversion;
}

/** ALLO: nothing needs to be reserved. */
export function allocate(): Reply {
  return reply(200, "No storage allocation necessary.");
}

/** AVBL: how much room there is. */
export async function available(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const { fileSystem } = context;
  await fileSystem.stat(path, request);
  return reply(213, String(await requireMethod(fileSystem, "availableBytes")(path, request)));
}

/** ABOR: the transfer's own 426 goes before the reply to ABOR. */
export async function abort(context: CommandContext): Promise<Reply> {
  const { transfer, dataPort } = context;
  if (transfer !== undefined) {
    transfer.abort("aborted", "ABOR");
    await context.transferEnded();
    return reply(226, "ABOR command successful.");
  }
  if (dataPort.state === "closed") return reply(225, "No transfer to abort.");
  dataPort.close();
  return reply(225, "ABOR command successful; data channel closed.");
}

/**
 * The announcement with the bytes that will follow, less than the size of the file after REST. To the letter of what clients look
 * for: .NET for ` bytes).`, Python's ftplib for `(N bytes)`, also where N is 1.
 */
function withSize(bytes: number): string {
  return `${FILE_OKAY.slice(0, -1)} (${bytes} bytes).`;
}

/** RETR. */
export async function retrieve(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const { restartOffset: offset = 0 } = request;
  const ascii = convertsLineEnds(context);
  await using resources = new AsyncDisposableStack();
  const file = await context.fileSystem.openRead(path, { offset, signal: request.signal });
  resources.defer(() => closeFile(file, request));
  if (offset > file.size) return reply(554, `REST position (${offset}) > file size (${file.size})`);
  return await context.transferData({
    direction: "send",
    announcement: ascii ? FILE_OKAY : withSize(file.size - offset),
    file: { command: request.verb, path },
    body: (connection, transfer) => sendFile(file, connection, transfer, { ascii }),
  });
}

/** How often STOU looks for a free name. */
const UNIQUE_NAME_TRIES = 50;

/** STOR: replaces a file, unless it must not, or after REST goes on in one that exists. */
export async function store(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const path = requestPath(request);
  const { restartOffset: offset = 0 } = request;
  const upload = beginUpload(context, request);
  if (offset === 0) return await receive(context, request, { ...upload, path, mode: "truncate" });
  const kept = await upload.fileSystem.resumable?.(path, request);
  if (kept !== undefined) return await receive(context, request, { ...upload, path, mode: { offset } });
  const { size } = await upload.fileSystem.stat(path, request);
  if (offset > size) return reply(554, `REST position (${offset}) > file size (${size})`);
  // What only adds to a file does what APPE does, and takes its right.
  const mayContinue = context.settings.upload.overwrite ||
    offset === size && await mayRun(context, request, { verb: "APPE", account: upload.account, path });
  if (!mayContinue) throw new FileSystemError("exists", `Cannot write into "${path}": it exists`);
  return await receive(context, request, { ...upload, path, mode: { offset } });
}

/** APPE. */
export async function append(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (request.restartOffset !== undefined) return reply(450, "Can't APPE while REST request is pending.");
  return await receive(context, request, {
    ...beginUpload(context, request),
    path: requestPath(request),
    mode: "append",
  });
}

/** STOU: the name is `ftpd.XXXXXXXX`, or that of the argument followed by the eight random characters. */
export async function storeUnique(context: CommandContext, request: CommandRequest): Promise<Reply> {
  if (request.restartOffset !== undefined) return reply(450, "Can't STOU while REST request is pending.");
  const upload = beginUpload(context, request);
  const path = requestPath(request);
  const prefix = request.argument === "" ? joinPathname(path, "ftpd") : path;
  // The file will be beside what the argument names, where other rights may hold.
  const name = `${prefix}.`;
  if (!await mayRun(context, request, { verb: request.verb, account: upload.account, path: name })) {
    return reply(550, "Not enough privileges.");
  }
  const created = await createUnique(upload, prefix);
  if (created === undefined) return reply(450, "No usable unique file name found.");
  const announcement = `FILE: ${baseName(created.path)}`;
  // The client may want to know the name before it opens a port.
  return await transferInto(context, request, { ...upload, ...created, announcement, portMayFollow: true });
}

/** What an upload obeys from its start on, whatever commands beside it change. */
interface Upload {
  readonly account: Account;
  readonly fileSystem: FileSystem;
  readonly ascii: boolean;
  readonly created: CreateOptions;
}

function beginUpload(context: CommandContext, { signal }: CommandRequest): Upload {
  const { umask } = context.session;
  return {
    account: context.account,
    fileSystem: context.fileSystem,
    ascii: convertsLineEnds(context),
    created: { umask, signal },
  };
}

interface OpenedFile {
  readonly path: string;
  readonly file: WritableFile;
}

async function createUnique({ fileSystem, created }: Upload, prefix: string): Promise<OpenedFile | undefined> {
  const openWrite = requireMethod(fileSystem, "openWrite");
  const mode = fileSystem.uploadsAppearWhole ? "place" : "createNew";
  for (let tries = 0; tries < UNIQUE_NAME_TRIES; tries++) {
    const path = `${prefix}.${randomSuffix()}`;
    try {
      return { path, file: await openWrite(path, mode, created) };
    } catch (error) {
      if (!(error instanceof FileSystemError && error.kind === "exists")) throw error;
    }
  }
  return undefined;
}

async function receive(
  context: CommandContext,
  request: CommandRequest,
  upload: Upload & { readonly path: string; readonly mode: WriteMode },
): Promise<Reply> {
  // Asked before the file is opened, which may create it.
  if (context.dataPort.state === "closed") return NO_DATA_PORT;
  const { fileSystem, path, created } = upload;
  const mode = upload.mode === "truncate" ? wholeFileMode(context.settings.upload, fileSystem) : upload.mode;
  const file = await requireMethod(fileSystem, "openWrite")(path, mode, created);
  return await transferInto(context, request, { ...upload, file, announcement: FILE_OKAY });
}

/** How STOR opens a file. If it is atomic, others see the old file, or none, until the new one is whole. */
function wholeFileMode({ atomic, overwrite }: Settings["upload"], { uploadsAppearWhole }: FileSystem): WriteMode {
  if (atomic || uploadsAppearWhole) return overwrite ? "replace" : "place";
  return overwrite ? "truncate" : "createNew";
}

/** An upload whose file is open. */
interface OpenUpload extends Upload, OpenedFile {
  readonly announcement: string;
  readonly portMayFollow?: true;
}

/** Receives into an open file and closes it, whatever happens; of which nothing came, a new one is gone then. */
async function transferInto(context: CommandContext, request: CommandRequest, upload: OpenUpload): Promise<Reply> {
  const { path, file, ascii, announcement, portMayFollow } = upload;
  const { sync } = context.settings.upload;
  await using resources = new AsyncDisposableStack();
  resources.defer(() => closeFile(file, request));
  return await context.transferData({
    direction: "receive",
    announcement,
    ...portMayFollow && { portMayFollow },
    file: { command: request.verb, path: file.path ?? path },
    body: (connection, transfer) => receiveFile(file, connection, transfer, { ascii }),
    finish: (transfer) => file.finish({ sync, signal: request.signal, onProgress: () => transfer.touch() }),
  });
}
