/**
 * The file system port: what a session needs of a store of files.
 *
 * Every path is **virtual**: absolute, `/`-separated, normalised (no `.`, `..`, empty component or trailing slash but for
 * the root `/` itself), without CR, LF and NUL. The gate guarantees that; an implementation need not normalise again, and
 * must keep every path inside its own root.
 *
 * Only `stat`, `list` and `openRead` are needed. Each absent method takes the commands that need it out of service (502).
 * All methods reject with `FileSystemError` for expected refusals; anything else is answered as an internal error.
 *
 * Every call gets a signal. When it aborts, the client has been answered already, and nothing that the call does later
 * changes that: a late result is dropped, a late failure is not reported, a file that opens late is closed. A call that
 * heeds the signal frees what it holds sooner, no more. Calls on one open file never overlap, and `close()` comes when
 * the last of them has settled; so a file whose `write()` never settles is never closed, and stays claimed.
 *
 * @module
 */

/**
 * What has a name: `link` is a symbolic link to a directory, so that whoever walks a tree does not walk through it;
 * a link to anything else counts as that. `other` is a FIFO, device or socket.
 */
export type FileType = "file" | "directory" | "link" | "other";

/** Attributes of a file, after symbolic links were followed inside the root; those of a `link` are its own. */
export interface FileInfo {
  /** What it is. */
  readonly type: FileType;
  /** Bytes; 0 of a `link`. */
  readonly size: number;
  /** Virtual path of the directory that a `link` leads to. */
  readonly target?: string | undefined;
  /** Time of last modification, where known. */
  readonly modified?: Date | undefined;
  /** Permission bits (POSIX, lower 12 bits), where known. */
  readonly mode?: number | undefined;
  /** Number of hard links, where known. */
  readonly links?: number | undefined;
  /** Numeric owner, where known. */
  readonly uid?: number | undefined;
  /** Numeric group, where known. */
  readonly gid?: number | undefined;
  /** Same for two paths exactly when they are the same file (RFC 3659 §7.5.2), where known. */
  readonly unique?: string | undefined;
}

/** An entry of a directory. */
export interface DirectoryEntry {
  /** One component: never empty, `.` or `..`, without `/`, CR, LF and NUL. */
  readonly name: string;
  /** Its attributes. */
  readonly info: FileInfo;
}

/** What each call gets. */
export interface CallOptions {
  /** Aborts when nobody waits for the call any more: by ABOR, a deadline, or the end of the session or the server. */
  readonly signal: AbortSignal;
}

/** How a file is opened for reading. */
export interface OpenReadOptions extends CallOptions {
  /** Where reading begins, in bytes. @default {0} */
  readonly offset?: number;
}

/** A file open for reading. Closed by whoever opened it. */
export interface ReadableFile {
  /** Size in bytes when it was opened. */
  readonly size: number;
  /**
   * Reads the next bytes into `buffer`, which is used again once the promise has settled or the signal has aborted.
   *
   * @returns How many bytes were read, or `null` at the end.
   */
  read(buffer: Uint8Array, options: CallOptions): Promise<number | null>;
  /**
   * Releases the file. May be called twice. A reply does not wait longer for it than for any other call, but it gets no
   * signal, since it has to be done whoever waits.
   */
  close(): void | Promise<void>;
}

/** How writing a file ends. */
export interface FinishOptions extends CallOptions {
  /** Whether the file and its name have to be on stable storage. @default {false} */
  readonly sync?: boolean;
  /** Called while it makes progress, so that the deadline for a transfer that does not move leaves it alone. */
  readonly onProgress?: () => void;
}

/** A file open for writing. Closed by whoever opened it. */
export interface WritableFile {
  /**
   * Virtual path that it has, where that is another than it was opened with. Events tell it; the client does not hear of it.
   */
  readonly path?: string;
  /**
   * Writes all of `bytes` at the current position. The array is used again once the promise has settled or the signal has
   * aborted: copy what is kept.
   */
  write(bytes: Uint8Array, options: CallOptions): Promise<void>;
  /**
   * Ends the writing. Once it resolves, everything that was written is in a file that has a name; opened with `replace`
   * or `place` it has taken its place.
   *
   * Kinds `exists`, when a name for `place` was taken meanwhile, `notFound`, when the file was removed or its directory moved
   * meanwhile, `busy`, when somebody else has changed it, or is writing the file whose place it would take.
   */
  finish(options: FinishOptions): Promise<void>;
  /**
   * Releases the file, as {@linkcode ReadableFile.close} does. What was written is kept without `finish()`, too, unless it
   * was opened with `replace` or `place`. A file that opening it has created, and that nothing was written to, is removed
   * then, if it still has its name: nobody has asked for an empty one.
   *
   * Where uploads appear whole nothing appears without `finish()`. What was written may be kept for
   * {@linkcode FileSystem.resumable}.
   */
  close(): void | Promise<void>;
}

/**
 * How a file is opened for writing:
 * - `truncate`: created, or emptied (STOR), though not before the first byte is written or the writing is finished: the
 *   upload may never come;
 * - `replace`: created without a name that anybody sees, to take the place and the permission bits of the old file at the
 *   end, if there is one;
 * - `place`: the same for a name that is free; kind `exists` when it is taken, at the beginning or at the end;
 * - `append`: created, or continued at its end (APPE);
 * - `createNew`: created; kind `exists` when the name is taken (STOU, and STOR without `upload.overwrite`);
 * - `{ offset }`: must exist (`notFound`), kept, and written from that offset in bytes on (REST and STOR).
 *
 * An interrupted upload of which {@linkcode FileSystem.resumable} knows is what `append` and `{ offset }` go on with, as it was
 * opened, in place of a file of that name.
 */
export type WriteMode = "truncate" | "replace" | "place" | "append" | "createNew" | { readonly offset: number };

/** How something new is made. */
export interface CreateOptions extends CallOptions {
  /** Permission bits that it does not get; the host may take away more. @default {0} */
  readonly umask?: number;
}

/** A store of files with `/` as its root. */
export interface FileSystem {
  /** Reports attributes of what a path leads to, which is never a `link`. */
  stat(path: string, options: CallOptions): Promise<FileInfo>;
  /** Reports attributes as `list()` does, so that a symbolic link to a directory is a `link`. Absent: there are no links. */
  lstat?(path: string, options: CallOptions): Promise<FileInfo>;
  /** Present: `list()` and `listNames()` yield entries in the order of their names (UTF-16 code units). */
  readonly listsSorted?: true;
  /**
   * Present: in every mode an upload appears when it is finished and not before; until then everybody sees the old file, or
   * none. Then `truncate` and `createNew` are the same as `replace` and `place`, and are not asked for.
   */
  readonly uploadsAppearWhole?: true;
  /**
   * Lists a directory, in no particular order unless `listsSorted` says so. Entries that vanish meanwhile, links that are
   * dangling or lead outside, and names that cannot be sent are left out.
   *
   * The first step throws `FileSystemError` kind `notFound` or `notDirectory`.
   */
  list(path: string, options: CallOptions): AsyncIterable<DirectoryEntry>;
  /** Lists the names that `list()` yields, where that is cheaper. */
  listNames?(path: string, options: CallOptions): AsyncIterable<string>;
  /** Lists the same entries as `list()`, where that is cheaper if only their names and types have to be right. */
  listTypes?(path: string, options: CallOptions): AsyncIterable<DirectoryEntry>;
  /**
   * Opens a regular file for reading from `offset` bytes on.
   *
   * Kinds `isDirectory`, `notRegularFile`.
   */
  openRead(path: string, options: OpenReadOptions): Promise<ReadableFile>;
  /**
   * Opens a regular file for writing. A file that is open for writing already rejects with kind `busy` and stays as it is, but for
   * `replace`, which does not touch it, and `place` and `createNew`.
   *
   * Kinds `isDirectory`, `notRegularFile`, `exists`, `notFound`, `noSpace`, `unsupported` for a mode it does not have.
   */
  openWrite?(path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile>;
  /** Removes a file, or a symbolic link itself. Kind `isDirectory` for a directory. */
  remove?(path: string, options: CallOptions): Promise<void>;
  /** Creates a directory in an existing one. Kind `exists`. */
  makeDirectory?(path: string, options: CreateOptions): Promise<void>;
  /** Removes an empty directory, or a symbolic link to a directory itself. Kinds `notDirectory`, `directoryNotEmpty`. */
  removeDirectory?(path: string, options: CallOptions): Promise<void>;
  /** Renames a file, a directory or a link itself; an existing file at `to` is replaced, an existing directory is not (kind `exists`), nor is a file that is open for writing (kind `busy`). */
  rename?(from: string, to: string, options: CallOptions): Promise<void>;
  /** Sets the time of last modification. */
  setModified?(path: string, modified: Date, options: CallOptions): Promise<void>;
  /** Sets the permission bits, 0 to 0o777. */
  setMode?(path: string, mode: number, options: CallOptions): Promise<void>;
  /** Returns how many more bytes can be stored at a path, which exists. */
  availableBytes?(path: string, options: CallOptions): Promise<number>;
  /** Returns the quotas that hold here: the account's own, and those that it shares with others. */
  quotas?(options: CallOptions): Promise<readonly QuotaReport[]>;
  /**
   * Returns how many bytes are kept of an upload to a path that was interrupted, where it can go on with `append` or that
   * offset; `undefined` when there is none. SIZE and MLST report it to whoever may go on with it, and to nobody else.
   */
  resumable?(path: string, options: CallOptions): Promise<number | undefined>;
  /** Returns the digest of a file where it is known without reading the file; `undefined` where not. */
  digest?(path: string, algorithm: HashAlgorithm, options: CallOptions): Promise<FileDigest | undefined>;
}

/** How much of a quota is used. */
export interface QuotaReport {
  /** Whose it is, such as `user alice` or `group partners`. */
  readonly name: string;
  /** What is stored and being stored; absent as long as that is being counted. */
  readonly used?: { readonly bytes: number; readonly files: number } | undefined;
  /** Most bytes and files; 0: no limit. */
  readonly limits: { readonly bytes: number; readonly files: number };
}

/** A digest of a whole file. */
export interface FileDigest {
  /** Lower-case hexadecimal digits. */
  readonly hex: string;
  /** Size in bytes of the file that has it. */
  readonly bytes: number;
}

/** Name of a method of a file system that commands may need. */
export type FileSystemMethod = Exclude<
  keyof FileSystem,
  "digest" | "listNames" | "listTypes" | "listsSorted" | "lstat" | "resumable" | "uploadsAppearWhole"
>;

/** Name of an algorithm as HASH uses it (IANA, "FTP Hash Algorithm Names"). */
export type HashAlgorithm = "SHA-256" | "SHA-512" | "SHA-1" | "MD5" | "CRC32";

/** All of them, the default first. */
export const HASH_ALGORITHMS = [
  "SHA-256",
  "SHA-512",
  "SHA-1",
  "MD5",
  "CRC32",
] as const satisfies readonly HashAlgorithm[];

/** Takes bytes and returns their digest. */
export interface Digest {
  /** Takes the next bytes; the caller may reuse the array afterwards. */
  update(bytes: Uint8Array): void;
  /** The digest of all bytes as lower-case hexadecimal digits. Call it once, at the end. */
  hex(): string;
}

/**
 * Why a file system refused an operation, and the reply that the client gets:
 *
 * - `busy`: another upload writes this file (450);
 * - `noSpace` (452);
 * - `quotaExceeded`: the account, or a group of it, may not store more (552);
 * - `unavailable`: what has the files is out of reach or fails, and may be back later (451); the log has the error;
 * - `invalidOffset`: writing cannot go on at that offset, though it can at another (554);
 * - `unsupported`: there is no such operation here, or no such mode of writing (502);
 * - `invalidName`: the name cannot exist on this file system (553);
 * - `notFound`, also for what leads outside the root; `exists`, `isDirectory`, `notDirectory`,
 *   `directoryNotEmpty`; `notRegularFile`, a FIFO, device or socket; `permissionDenied`, by the operating system or the
 *   runtime's sandbox, also for mount points and from one mount to another (550).
 */
export type FileSystemErrorKind =
  | "busy"
  | "directoryNotEmpty"
  | "exists"
  | "invalidName"
  | "invalidOffset"
  | "isDirectory"
  | "noSpace"
  | "notDirectory"
  | "notFound"
  | "notRegularFile"
  | "permissionDenied"
  | "quotaExceeded"
  | "unavailable"
  | "unsupported";

/**
 * An operation refused by a file system. Clients see a fixed text for the kind; `message` and `cause` are for the log.
 *
 * @example An own file system that refuses dot files
 * ```ts
 * import { FileSystemError } from "@ftpsd/ftpsd";
 *
 * function refuseDotFiles(path: string): void {
 *   if (path.includes("/.")) throw new FileSystemError("permissionDenied", `Dot files are closed: "${path}"`);
 * }
 * refuseDotFiles("/notes.txt");
 * ```
 */
export class FileSystemError extends Error {
  /** Name of the class. */
  override readonly name = "FileSystemError";
  /** Why the operation was refused. */
  readonly kind: FileSystemErrorKind;

  /** Makes an error of the given kind; `options.cause` may hold the runtime's own error. */
  constructor(kind: FileSystemErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
