/**
 * What a command is: a row of the table, the request it gets, and what it may touch.
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";
import type { PermissionLetter } from "../accounts/permission.ts";
import type { DataPort } from "../data/data_port.ts";
import type { Transfer, TransferBody } from "../data/transfer.ts";
import { abortable } from "../deadline.ts";
import {
  type CallOptions,
  type Digest,
  type FileInfo,
  type FileSystem,
  FileSystemError,
  type FileSystemErrorKind,
  type FileSystemMethod,
  type HashAlgorithm,
  type ReadableFile,
  type WritableFile,
} from "../filesystem/filesystem.ts";
import type { PathnamePlace } from "../protocol/pathname.ts";
import type { TextEncoding } from "../protocol/text_encoding.ts";
import type { Reply } from "../protocol/reply.ts";
import type { Session } from "../session/session.ts";
import type { Settings } from "../settings/settings.ts";
import type { DataTransport, Direction, SocketAddress } from "../transport/connection.ts";

/** An admitted command. */
export interface CommandRequest {
  /** The row's verb, also where an alias was sent. */
  readonly verb: string;
  /** Argument verbatim, without the pathname where it has more than that. Empty when there was none. */
  readonly argument: string;
  /** The pathname as it was sent; empty where there was none. */
  readonly pathname: string;
  /** Virtual path, resolved and permitted, where the row asks for one and there is one. */
  readonly path: string | undefined;
  /** Aborts when the command is given up: by ABOR, a deadline, or the end of the session. */
  readonly signal: AbortSignal;
  /** Marker of REST, in bytes; absent for 0. */
  readonly restartOffset?: number;
  /** Virtual path given by RNFR, if there is one. */
  readonly renameFrom?: string;
}

/**
 * A row of the command table: everything the server knows about a verb. What is left out is the strict choice.
 */
export interface CommandSpec {
  /** Upper case; a SITE command has both words. */
  readonly verb: string;
  /** Other spellings of the same command. */
  readonly aliases?: readonly string[];
  /** Whether an argument must, may or must not follow. */
  readonly argument: "none" | "optional" | "required";
  /** Blanks at the end belong to the argument, as to a pathname. Absent: they are left out, clients add them by mistake. */
  readonly verbatim?: true;
  /** Absent: refused on a clear control connection when TLS is required there. */
  readonly beforeTls?: true;
  /** Absent: refused with 530 until a user is logged in. */
  readonly beforeLogin?: true | "withoutArgument";
  /** Refuses the command at a wrong time. */
  readonly sequence?: (session: Session) => Reply | undefined;
  /** What the command uses up or sets anew in the session, whatever becomes of it. Each transfer uses up REST. */
  readonly resets?: Partial<Session>;
  /** Absent: waits for a running transfer to end. */
  readonly duringTransfer?: true;
  /** Takes effect on a running transfer at once, also from behind commands that wait for its end. */
  readonly interruptsTransfer?: true;
  /** Ends the session in order: a client that ends its connection behind it has said all, and what runs goes on. */
  readonly quits?: true;
  /** Takes so long that ABOR, and the client's end, end it like a transfer. */
  readonly longRunning?: true;
  /** Whether the command prepares a data connection or moves bytes over one; both obey the protection policy. */
  readonly dataConnection?: "prepares" | "uses";
  /** Right that is needed for the path, or where there is none for the current directory. */
  readonly permission?: PermissionLetter;
  /** Commands whose rights are needed beside it for some arguments, which do what those do; all of them must be offered. */
  readonly furtherCommands?: (argument: string) => readonly string[];
  /** Whether what is below the path goes with it, or comes to lie there: needs `Account.mayMove()` beside the right. */
  readonly movesTree?: true;
  /** Present: the gate resolves the path and checks the right. */
  readonly pathname?: PathnamePlace;
  /** Path where the argument names none. Absent: none then, as without any argument where there have to be flags. */
  readonly defaultPath?: "current" | "currentBehindFlags" | "parent" | "root";
  /** Optional method of the file system without which the command is not implemented (502, and absent from FEAT). */
  readonly needs?: FileSystemMethod;
  /** Nothing may be read before this command's reply, because the bytes that follow may be a TLS handshake. */
  readonly startsTls?: true;
  /** What FEAT says of it (RFC 2389 §3.2). */
  readonly features?: (context: CommandContext) => readonly string[];
  /** Syntax shown by HELP. */
  readonly help: string;
  /** Where it is defined. */
  readonly rfc: string;
  /** The argument is never logged. */
  readonly secret?: true;
  /** Does it, and returns the final reply; a thrown error becomes one in `control/error_reply.ts`. */
  run(context: CommandContext, request: CommandRequest): Reply | Promise<Reply>;
}

/** A transfer that a command starts. */
export interface TransferPlan {
  readonly direction: Direction;
  /** The preliminary reply's text after 150. */
  readonly announcement: string;
  /** Moves the bytes. */
  readonly body: TransferBody;
  /** Whether PASV or PORT may come after the command. */
  readonly portMayFollow?: true;
  /** Makes what was received final; part of the transfer, before its end is reported. */
  readonly finish?: (transfer: Transfer) => Promise<void>;
  /** Present for files: the command and path for the events; listings have none. */
  readonly file?: { readonly command: string; readonly path: string };
}

/** Why a login failed: `"banned"` when the address was banned before, so that nobody has looked at the password. */
export type LoginFailure = "wrong" | "wrongAndBanned" | "banned";

/** What a command may see and do. One for each control connection; commands never touch its socket. */
export interface CommandContext {
  /** The session as it is now. */
  readonly session: Session;
  readonly settings: Settings;
  /** Every row, in the order of the table. */
  readonly commands: readonly CommandSpec[];
  /** The row of a verb or alias, upper case. */
  findCommand(verb: string): CommandSpec | undefined;
  readonly dataPort: DataPort;
  /** The transfer that is running, from its command to its final reply. */
  readonly transfer: Transfer | undefined;
  /** Encoding of a session that has chosen none. */
  readonly defaultEncoding: TextEncoding;
  /** Whether TLS can be had on this server. */
  readonly tlsAvailable: boolean;
  /** Aborts when the command is given up that the dialogue waits for: by ABOR, or since the session ends. */
  readonly signal: AbortSignal;
  /** The account of the logged-in user. The gate has seen to it that there is one. */
  readonly account: Account;
  /** The account's file system, of which no call lasts longer than its signal, and what it returns is checked. */
  readonly fileSystem: FileSystem;
  /** Whether the command has just come, and nothing has been waited for since. */
  readonly isPrompt: boolean;
  /** The IPv4 address of the name that `passive.address` is; `undefined` while nobody knows, and where it is no name. */
  readonly passiveAddress: string | undefined;
  /** Transport of data connections for the session's protection level. */
  readonly dataTransport: DataTransport;
  /** Changes the session. */
  update(patch: Partial<Session>): void;
  /** Acquires a slot of the account for the session; returns whether there was one. */
  acquireAccount(account: Account): Promise<boolean>;
  /** Releases the slot, as soon as no transfer of the account runs any more. */
  releaseAccount(): void;
  /**
   * Checks a name and password (see `Authorizer`); the attempt may have to wait for others of the client's address. Whatever
   * comes of it but an account counts as a failed login: also an error, and a client that does not wait.
   *
   * @returns The account, or why there is none.
   */
  authenticate(username: string, password: string): Promise<Account | LoginFailure>;
  /**
   * Looks for the account of a client that needs no password, since it has shown a certificate (see `Authorizer`).
   *
   * @returns The account; `undefined` where a password is needed; `"banned"` when the address is.
   */
  authorize(username: string): Promise<Account | "banned" | undefined>;
  /** Sends 150, moves the bytes, and returns the final reply once the data connection is closed. */
  transferData(plan: TransferPlan): Promise<Reply>;
  /** Makes a digest of no bytes yet. */
  createDigest(algorithm: HashAlgorithm): Digest;
  /** Waits for the running transfer's final reply to be sent. */
  transferEnded(): Promise<void>;
  /** Emits a login, with what the user is told besides, or a logout. */
  emit(event: "loginSucceeded" | "loggedOut", notice?: string): void;
  /** Reports that a data connection from elsewhere was dropped. */
  reportForeignPeer(peer: SocketAddress): void;
}

/** The verb of a row and its aliases. */
export function namesOf(row: CommandSpec): readonly string[] {
  return [row.verb, ...row.aliases ?? []];
}

/** Returns whether an account has a right for a path; waits no longer than the signal lasts. */
export async function hasPermission(
  account: Account,
  letter: PermissionLetter,
  path: string,
  { signal }: CallOptions,
): Promise<boolean> {
  return await abortable(Promise.try(() => account.hasPermission(letter, path, { signal })), signal) === true;
}

/** Returns whether what is at a path may be moved, as far as the account says; waits no longer than the signal lasts. */
export async function mayMove(account: Account, path: string, { signal }: CallOptions): Promise<boolean> {
  return await abortable(Promise.try(() => account.mayMove?.(path, { signal }) ?? true), signal) === true;
}

/** Returns whether an account has the right that another command asks for, and may use that at all. */
export async function mayRun(
  context: CommandContext,
  options: CallOptions,
  { verb, account, path }: { readonly verb: string; readonly account: Account; readonly path: string },
): Promise<boolean> {
  const letter = context.findCommand(verb)?.permission;
  return letter !== undefined && await hasPermission(account, letter, path, options);
}

/** The path of a request whose row always has one. */
export function requestPath(request: CommandRequest): string {
  if (request.path === undefined) throw new Error(`The row of ${request.verb} has no path`);
  return request.path;
}

/**
 * An optional method of a file system, bound to it. The row's `needs` has made sure of it, so a failure is a mistake in the
 * table.
 */
export function requireMethod<Name extends FileSystemMethod>(
  fileSystem: FileSystem,
  name: Name,
): Required<FileSystem>[Name] {
  const method = fileSystem[name];
  if (method === undefined) throw new FileSystemError("unsupported", `The file system has no ${name}()`);
  return method.bind(fileSystem) as Required<FileSystem>[Name];
}

/**
 * The attributes of what is at a path.
 *
 * @param missing Kinds of errors that mean that nothing is there.
 * @returns `undefined` where nothing is.
 */
export async function statIfThere(
  fileSystem: FileSystem,
  path: string,
  options: CallOptions,
  missing: readonly FileSystemErrorKind[] = ["notFound"],
): Promise<FileInfo | undefined> {
  try {
    return await fileSystem.stat(path, options);
  } catch (error) {
    if (error instanceof FileSystemError && missing.includes(error.kind)) return undefined;
    throw error;
  }
}

/** Closes a file, and waits for that no longer than the signal lasts. */
export async function closeFile(file: ReadableFile | WritableFile, { signal }: CallOptions): Promise<void> {
  const closing = file.close();
  if (closing instanceof Promise) await abortable(closing, signal).catch(() => {}); // what was wrong with it is reported
}
