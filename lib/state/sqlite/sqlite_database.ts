/**
 * A file of SQLite, with a state or with what waits for hooks: opened by one server at a time, of which nothing but a lock and the
 * schema is said here.
 *
 * It is written ahead (`journal_mode=WAL`): a write is one append to a file beside it, 0.02 ms in the median and 0.1 ms for 99 of
 * 100, where a rollback journal takes 2.4 and 20 ms. With `synchronous=NORMAL` what was written outlives the process, however
 * that ends; a host that loses its power may lose the last moments, never the whole.
 *
 * `node:sqlite` needs to read and write exactly the file that it is given: what SQLite makes beside it (`-wal`, `-shm`) asks for
 * no permission, and has the mode of the file.
 *
 * @module
 */

import { closeSync, constants, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** What a file holds. */
export interface DatabaseContent {
  /** In words, for errors, such as `state of ftpsd`. */
  readonly name: string;
  /** Marks such files among those of SQLite. */
  readonly applicationId: number;
  /** Version of the schema that this program writes. */
  readonly version: number;
  /** Makes the tables. */
  readonly schema: string;
}

/** Longest wait, in milliseconds, for a command that has the file for a moment; the event loop stops meanwhile. */
const BUSY_TIMEOUT_MS = 200;

const STATE: DatabaseContent = {
  name: "state of ftpsd",
  applicationId: 0x66747073, // "ftps"
  version: 1,
  schema: `
  CREATE TABLE records (space TEXT, key BLOB, value BLOB NOT NULL, expires REAL NOT NULL, PRIMARY KEY (space, key))
    STRICT, WITHOUT ROWID;
  CREATE INDEX records_by_end ON records (expires);
  CREATE TABLE offenders (address TEXT PRIMARY KEY, failures TEXT NOT NULL, banned_until REAL NOT NULL, changed REAL NOT NULL)
    STRICT, WITHOUT ROWID;
  CREATE TABLE quotas (name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, files INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE recounts (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
`,
};

/** A file that cannot be used. The message is a short reason for the operator. */
export class StateFileError extends Error {
  /** The name of the class. */
  override readonly name = "StateFileError";
  /** Whether a server that runs has the file. */
  readonly isInUse: boolean;

  /** Makes an error with a reason such as "it is no state of ftpsd". */
  constructor(message: string, options: ErrorOptions & { readonly isInUse?: boolean } = {}) {
    super(message, options);
    this.isInUse = options.isInUse ?? false;
  }
}

/** How a state is opened. */
export interface OpenDatabaseOptions {
  /** Whether to go without the lock while a server has it. @default {false} */
  readonly mayShare?: boolean;
  /** What it holds. @default {a state} */
  readonly content?: DatabaseContent;
}

/** An open file. */
export class SqliteDatabase implements Disposable {
  /** For statements. Every error of it says that the state is out of reach. */
  readonly db: DatabaseSync;
  /** Whether nobody else has the file. */
  readonly isAlone: boolean;
  readonly #lock: Deno.FsFile | undefined;

  private constructor(db: DatabaseSync, lock: Deno.FsFile | undefined, isAlone: boolean) {
    this.db = db;
    this.#lock = lock;
    this.isAlone = isAlone;
  }

  /**
   * Opens a file, which is made with mode 600 if it is not there.
   *
   * @throws {StateFileError}
   */
  static open(path: string, { mayShare = false, content = STATE }: OpenDatabaseOptions = {}): SqliteDatabase {
    using opened = new DisposableStack();
    const lock = openLocked(path);
    if (lock !== undefined) opened.use(lock.file);
    const isAlone = lock?.isLocked ?? true;
    if (!isAlone && !mayShare) throw new StateFileError("another server uses it", { isInUse: true });
    try {
      const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
      opened.defer(() => db.close());
      prepare(db, content);
      opened.move();
      return new SqliteDatabase(db, lock?.file, isAlone);
    } catch (cause) {
      if (cause instanceof StateFileError) throw cause;
      throw new StateFileError(reasonOf(cause), { cause });
    }
  }

  /** Closes the file; may be called again. */
  [Symbol.dispose](): void {
    if (!this.db.isOpen) return;
    this.db.close();
    // After the database: closing a file of its own would end the locks of SQLite in this process.
    this.#lock?.close();
  }
}

/** Makes the file where there is none, and locks it; `undefined` where a lock would keep SQLite itself out. */
function openLocked(path: string): { readonly file: Deno.FsFile; readonly isLocked: boolean } | undefined {
  try {
    createIfMissing(path);
    const info = Deno.lstatSync(path);
    if (!info.isFile) throw new StateFileError(info.isSymlink ? "it is a symbolic link" : "it is no file");
    if (Deno.build.os === "windows") return undefined;
    const file = Deno.openSync(path, { read: true, write: true });
    return { file, isLocked: file.tryLockSync(EXCLUSIVE) };
  } catch (cause) {
    if (cause instanceof StateFileError || cause instanceof Deno.errors.NotCapable) throw cause;
    throw new StateFileError(reasonOf(cause), { cause });
  }
}

const EXCLUSIVE = true;
const OWNER_ONLY = 0o600;

function createIfMissing(path: string): void {
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, OWNER_ONLY));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

function prepare(db: DatabaseSync, content: DatabaseContent): void {
  db.exec("PRAGMA trusted_schema = OFF; PRAGMA synchronous = NORMAL");
  const version = numberOf(db, "user_version");
  const application = numberOf(db, "application_id");
  const isEmpty = version === 0 && application === 0 && numberOf(db, "schema_version") === 0;
  if (!isEmpty && application !== content.applicationId) {
    throw new StateFileError(`it is a database, but no ${content.name}`);
  }
  if (version > content.version) {
    throw new StateFileError(`a newer ftpsd has written it (schema ${version}, this one knows ${content.version})`);
  }
  if (!isEmpty) {
    const [problem] = Object.values(db.prepare("PRAGMA quick_check(1)").get() ?? {});
    if (problem !== "ok") throw new StateFileError(`it is damaged: ${String(problem).split("\n").at(-1)}`);
  }
  db.exec("PRAGMA journal_mode = WAL");
  if (!isEmpty) return;
  db.exec(`BEGIN IMMEDIATE; ${content.schema}
    PRAGMA application_id = ${content.applicationId}; PRAGMA user_version = ${content.version}; COMMIT`);
}

function numberOf(db: DatabaseSync, pragma: string): number {
  return Number(Object.values(db.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const message = cause instanceof Error ? cause.message : String(cause);
  if (code === "ENOENT") return "its folder does not exist";
  if (code === "EACCES" || cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (/not a database|malformed/.test(message)) return "it is no database, or a damaged one";
  return message.replace(/:.*$/s, "");
}
