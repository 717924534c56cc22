/**
 * A view of a file system in which what is stored counts, and has limits.
 *
 * @module
 */

import { Watchdog } from "../../deadline.ts";
import { NOTHING, type QuotaAmount, type QuotaReservation } from "../../state/quotas.ts";
import type { StateRecords } from "../../state/records.ts";
import type { FileClaims } from "../file_claims.ts";
import {
  type CallOptions,
  type CreateOptions,
  type FileInfo,
  type FileSystem,
  FileSystemError,
  type FinishOptions,
  type QuotaReport,
  type WritableFile,
  type WriteMode,
} from "../filesystem.ts";
import { CountedParts } from "./counted_parts.ts";
import { fileAt, type FileLocator, QuotaClaims } from "./quota_claims.ts";
import { QuotaFile } from "./quota_file.ts";
import { askCounts, commit, exceeded, type QuotaLedger, type QuotaScope } from "./quota_ledger.ts";

/** What counts files. */
export interface QuotaOptions {
  /** Counts changes. */
  readonly ledger: QuotaLedger;
  /** The account's own quota, and those that it shares with others. */
  readonly scopes: readonly QuotaScope[];
  /** Keeps a file from being removed, replaced or written while somebody writes it; for all accounts of a server. */
  readonly claims: FileClaims;
  /** What is known of interrupted uploads. */
  readonly records: StateRecords;
  /** Name of the account. */
  readonly account: string;
  /** Finds the place of a path, for names that several accounts, or mounts, have in common. @default {the path itself} */
  readonly locate?: FileLocator;
}

/** Where a method of a file system is handed on as it is. */
const UNCOUNTED = [
  "stat",
  "lstat",
  "list",
  "listNames",
  "listTypes",
  "openRead",
  "makeDirectory",
  "removeDirectory",
  "setModified",
  "setMode",
  "resumable",
  "digest",
] as const;

/**
 * Makes a view in which files count. Uploads reserve their bytes as these come, and reject with kind `quotaExceeded` where there
 * is no room under a limit, at the beginning or in the middle. What is cut counts as far as it is kept: a file as long as it is, an
 * upload that appears whole by the parts that it can go on with. Directories do not count.
 *
 * A file that is being written cannot be removed, nor another take its name (kind `busy`): nobody would know what it takes.
 */
export function withQuota(fileSystem: FileSystem, options: QuotaOptions): FileSystem {
  const { listsSorted, uploadsAppearWhole, openWrite, remove, rename, availableBytes } = fileSystem;
  const files = new QuotaFiles(fileSystem, options);
  const handedOn = UNCOUNTED.flatMap((name) => {
    const method = fileSystem[name] as ((...args: unknown[]) => unknown) | undefined;
    return method === undefined ? [] : [[name, method.bind(fileSystem)]];
  });
  const limitsBytes = options.scopes.some(({ limits }) => limits.bytes > 0);
  return {
    ...Object.fromEntries(handedOn) as Pick<FileSystem, "stat" | "list" | "openRead">,
    ...listsSorted && { listsSorted },
    ...uploadsAppearWhole && { uploadsAppearWhole },
    ...openWrite && {
      openWrite: (path: string, mode: WriteMode, options: CreateOptions) => files.openWrite(path, mode, options),
    },
    ...remove && { remove: (path: string, options: CallOptions) => files.remove(path, options) },
    ...rename && { rename: (from: string, to: string, options: CallOptions) => files.rename(from, to, options) },
    ...(availableBytes !== undefined || limitsBytes) && {
      availableBytes: (path: string, options: CallOptions) => files.availableBytes(path, options),
    },
    quotas: () => files.quotas(),
  };
}

/** How a file is opened, and what that means for its count. */
interface Plan {
  /** Whether it takes its name in the end, beside what has it until then. */
  readonly appearsWhole: boolean;
  /** Whether it goes on with what is there. */
  readonly continues: boolean;
  readonly start: number;
  readonly counted: number;
}

/** An upload that is under way, or has just ended. */
interface OpenUpload {
  readonly path: string;
  readonly plan: Plan;
  /** What had the name before; from when it is finished on, what it then takes the place of. */
  old: FileInfo | undefined;
  /** What has it since the upload was opened; absent where it appears whole. */
  readonly opened: FileInfo | undefined;
  /** Whether nobody else can use the name meanwhile. */
  readonly isClaimed: boolean;
  /** Whether it may have appeared. */
  isFinishing: boolean;
  /** What is given back in the end. */
  readonly held: DisposableStack;
}

class QuotaFiles {
  readonly #files: FileSystem;
  readonly #options: QuotaOptions;
  readonly #kept: CountedParts;
  readonly #claims: QuotaClaims;

  constructor(files: FileSystem, options: QuotaOptions) {
    this.#files = files;
    this.#options = options;
    this.#kept = new CountedParts(files, options.records, options.account);
    this.#claims = new QuotaClaims(files, options);
  }

  async openWrite(path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile> {
    using opening = new DisposableStack();
    const isReplacing = this.#isReplacing(path, mode);
    // What takes its name in the end lets others use it until then.
    const names = isReplacing ? undefined : opening.use(await this.#claims.claim(path, options));
    const old = await this.#fileAt(path, options);
    const plan = await this.#plan(path, mode, { old: old?.size ?? 0 }, options);
    const reservation = opening.use(await this.#begin({ bytes: 0, files: old === undefined ? 1 : 0 }, options));
    const file = await this.#files.openWrite?.(path, mode, options);
    if (file === undefined) throw new FileSystemError("unsupported", "Cannot write: the file system takes no files");
    try {
      const opened = isReplacing ? undefined : await this.#fileAt(path, options);
      // By whatever spelling others name what has just been created.
      if (old === undefined && opened !== undefined) opening.use(await this.#claims.claimFile(path, options));
      const isClaimed = names !== undefined;
      const held = opening.move();
      const upload: OpenUpload = { path, plan, old, opened, isClaimed, isFinishing: false, held };
      return new QuotaFile(file, {
        ...plan,
        reservation,
        makeRoom: (options) => this.#makeRoom(options),
        refuse: () => exceeded("bytes", this.#options.account),
        finish: (end, options) => this.#finish(file, upload, end, options),
        measure: (end) => this.#measure(upload, end),
        release: () => held[Symbol.dispose](),
      });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async remove(path: string, options: CallOptions): Promise<void> {
    using _names = await this.#claims.claim(path, options);
    const old = await this.#fileAt(path, options);
    using reservation = await this.#begin(NOTHING, options);
    await this.#files.remove?.(path, options);
    if (old !== undefined) await commit(reservation, { bytes: -old.size, files: -1 });
  }

  async rename(from: string, to: string, options: CallOptions): Promise<void> {
    using _source = await this.#claims.claim(from, options);
    using _names = from === to ? undefined : await this.#claims.claim(to, options);
    const old = await this.#fileAt(to, options);
    const moved = old && await this.#fileAt(from, options);
    using reservation = await this.#begin(NOTHING, options);
    await this.#files.rename?.(from, to, options);
    // The same file by another spelling takes nobody's place.
    const isSame = from === to || (old?.unique !== undefined && old.unique === moved?.unique);
    if (old !== undefined && !isSame) await commit(reservation, { bytes: -old.size, files: -1 });
  }

  /** What the file system has room for, but no more than the limits leave; 0 as long as nobody knows that. */
  async availableBytes(path: string, options: CallOptions): Promise<number> {
    const { availableBytes } = this.#files;
    const free = await availableBytes?.call(this.#files, path, options) ?? Number.MAX_SAFE_INTEGER;
    const rests = (await this.quotas()).filter(({ limits }) => limits.bytes > 0)
      .map(({ used, limits }) => used === undefined ? 0 : Math.max(0, limits.bytes - used.bytes));
    return Math.min(free, ...rests);
  }

  async quotas(): Promise<QuotaReport[]> {
    const { ledger, scopes } = this.#options;
    return await Promise.all(scopes.map(async (scope) => {
      const use = await askCounts(() => ledger.counts.use(scope.name));
      if (use === undefined) ledger.prepare(scope);
      const { name, limits } = scope;
      const used = use && {
        bytes: use.stored.bytes + use.reserved.bytes,
        files: use.stored.files + use.reserved.files,
      };
      return { name, limits, used };
    }));
  }

  async #begin(amount: QuotaAmount, options: CallOptions): Promise<QuotaReservation> {
    const { ledger, scopes } = this.#options;
    try {
      return await ledger.begin(scopes, amount, options);
    } catch (error) {
      const isFull = error instanceof FileSystemError && error.kind === "quotaExceeded";
      if (!isFull || this.#files.resumable === undefined) throw error;
      await this.#makeRoom(options);
      return await ledger.begin(scopes, amount, options);
    }
  }

  /** Interrupted uploads that the file system has forgotten by itself take no room any more. */
  async #makeRoom(options: CallOptions): Promise<void> {
    if (this.#files.resumable === undefined) return;
    using reservation = await this.#options.ledger.begin(this.#options.scopes, NOTHING, options);
    const change = await this.#kept.settleAll(options);
    if (change !== 0) await commit(reservation, { bytes: change, files: 0 });
  }

  /** Returns whether a file takes its name in the end, and what has it until then stays: on a mount whatever mode it is. */
  #isReplacing(path: string, mode: WriteMode): boolean {
    const isNew = mode !== "append" && typeof mode !== "object";
    const { uploadsAppearWhole } = this.#options.locate?.(path).fileSystem ?? this.#files;
    return mode === "replace" || mode === "place" || (isNew && uploadsAppearWhole === true);
  }

  async #plan(path: string, mode: WriteMode, { old }: { readonly old: number }, options: CallOptions): Promise<Plan> {
    if (this.#isReplacing(path, mode)) return { appearsWhole: true, continues: false, start: 0, counted: 0 };
    if (mode !== "append" && typeof mode !== "object") {
      return { appearsWhole: false, continues: false, start: 0, counted: old };
    }
    const kept = await this.#files.resumable?.(path, options);
    const start = mode === "append" ? kept ?? old : mode.offset;
    if (kept === undefined) return { appearsWhole: false, continues: true, start, counted: old };
    return { appearsWhole: true, continues: true, start, counted: await this.#kept.counted(path) };
  }

  async #finish(file: WritableFile, upload: OpenUpload, end: number, options: FinishOptions): Promise<QuotaAmount> {
    const { path, plan, held } = upload;
    if (!upload.isClaimed) {
      held.use(await this.#claims.claim(path, options));
      const now = await this.#fileAt(path, options);
      // What it was to replace has been removed: now it is one more.
      if (upload.old !== undefined && now === undefined) held.use(await this.#begin({ bytes: 0, files: 1 }, options));
      upload.old = now;
    }
    upload.isFinishing = true;
    await file.finish(options);
    const { old } = upload;
    const size = plan.continues ? await this.#sizeAt(upload, end) : end;
    const kept = await this.#kept.settle(path, options);
    return { bytes: size - (old?.size ?? 0) + kept, files: old === undefined ? 1 : 0 };
  }

  /** Size of a file that was gone on with, which may be longer than what was written: an upload that was cut keeps its old end. */
  async #sizeAt({ path, plan, old }: OpenUpload, end: number): Promise<number> {
    if (!plan.appearsWhole) return Math.max(end, old?.size ?? 0);
    try {
      using deadline = new Deadline();
      const now = await this.#fileAt(path, deadline);
      if (now !== undefined) return now.size;
    } catch {
      // Too much rather than too little.
    }
    return Math.max(end, old?.size ?? 0);
  }

  /**
   * What a file that was closed without an end takes beyond what counted before. Where that cannot be seen, too much rather than
   * too little: all that was written.
   */
  async #measure({ path, old, opened, isFinishing }: OpenUpload, end: number): Promise<QuotaAmount> {
    const files = old === undefined ? 1 : 0;
    const most = { bytes: Math.max(0, end - (old?.size ?? 0)), files };
    try {
      using deadline = new Deadline();
      const kept = await this.#kept.settle(path, deadline);
      if (opened === undefined && !isFinishing) return { bytes: kept, files: 0 }; // nothing has appeared
      const now = await this.#fileAt(path, deadline);
      if (opened === undefined) {
        return { bytes: (now?.size ?? 0) - (old?.size ?? 0) + kept, files: countOf(now) - countOf(old) };
      }
      // A directory above may have another name by now.
      if (now === undefined || now.unique !== opened.unique) return most;
      return { bytes: now.size - (old?.size ?? 0) + kept, files };
    } catch {
      return opened === undefined && !isFinishing ? NOTHING : most;
    }
  }

  #fileAt(path: string, options: CallOptions): Promise<FileInfo | undefined> {
    return fileAt(this.#files, path, options);
  }
}

/** Longest wait, in milliseconds, for what is left of a file. */
const MEASURE_MS = 30_000;

/** A signal of its own: whoever has written a file may be gone, and what has come of it has to be known all the same. */
class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #watchdog = new Watchdog(MEASURE_MS, () => this.#controller.abort());

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#watchdog[Symbol.dispose]();
  }
}

function countOf(file: FileInfo | undefined): number {
  return file === undefined ? 0 : 1;
}
