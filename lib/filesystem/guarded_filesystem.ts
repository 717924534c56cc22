/**
 * A file system as commands use it: no call is waited for when its signal has aborted, whether the file system heeds that or
 * not, and nothing that it returns is used unchecked.
 *
 * @module
 */

import {
  checkAvailable,
  checkCount,
  checkDigest,
  checkEntry,
  checkInfo,
  checkName,
  checkOpen,
  checkQuotas,
  checkResumable,
  type Report,
} from "./checked_values.ts";
import type {
  CallOptions,
  CreateOptions,
  DirectoryEntry,
  FileDigest,
  FileInfo,
  FileSystem,
  FinishOptions,
  HashAlgorithm,
  OpenReadOptions,
  QuotaReport,
  ReadableFile,
  WritableFile,
  WriteMode,
} from "./filesystem.ts";
import { EntryBatches } from "./entry_batches.ts";
import type { PendingCalls } from "./pending_calls.ts";

/**
 * Guards a file system. What it does not have, the guarded one does not have either.
 *
 * @param calls Knows of all calls that are under way, also of those that nobody waits for any more.
 * @param report Called with what is wrong and refuses nothing: a name that cannot be listed, a file that cannot be closed.
 */
export function guardFileSystem(fileSystem: FileSystem, calls: PendingCalls, report: Report): FileSystem {
  const guard = new GuardedFileSystem(fileSystem, calls, report);
  const { listsSorted, uploadsAppearWhole, listNames, listTypes, lstat, openWrite, availableBytes } = fileSystem;
  const { resumable, digest, quotas } = fileSystem;
  return {
    ...listsSorted && { listsSorted },
    ...uploadsAppearWhole && { uploadsAppearWhole },
    stat: (path: string, { signal }: CallOptions) => guard.stat(path, { signal }),
    ...lstat && { lstat: (path: string, { signal }: CallOptions) => guard.lstat(path, { signal }) },
    list: (path: string, { signal }: CallOptions) => guard.list(path, { signal }),
    ...listNames && { listNames: (path: string, { signal }: CallOptions) => guard.listNames(path, { signal }) },
    ...listTypes && { listTypes: (path: string, { signal }: CallOptions) => guard.listTypes(path, { signal }) },
    openRead: (path: string, { signal, offset = 0 }: OpenReadOptions) => guard.openRead(path, { signal, offset }),
    ...openWrite && {
      openWrite: (path: string, mode: WriteMode, options: CreateOptions) => guard.openWrite(path, mode, options),
    },
    ...availableBytes && {
      availableBytes: (path: string, { signal }: CallOptions) => guard.availableBytes(path, { signal }),
    },
    ...resumable && { resumable: (path: string, { signal }: CallOptions) => guard.resumable(path, { signal }) },
    ...digest && {
      digest: (path: string, algorithm: HashAlgorithm, { signal }: CallOptions) =>
        guard.digest(path, algorithm, { signal }),
    },
    ...quotas && { quotas: ({ signal }: CallOptions) => guard.quotas({ signal }) },
    ...guard.changes(),
  };
}

class GuardedFileSystem {
  readonly #fileSystem: FileSystem;
  readonly #report: Report;
  readonly #calls: PendingCalls;

  constructor(fileSystem: FileSystem, calls: PendingCalls, report: Report) {
    this.#fileSystem = fileSystem;
    this.#calls = calls;
    this.#report = report;
  }

  async stat(path: string, options: CallOptions): Promise<FileInfo> {
    return checkInfo(await this.#calls.run(() => this.#fileSystem.stat(path, options), options.signal));
  }

  async lstat(path: string, options: CallOptions): Promise<FileInfo> {
    const call = () => this.#fileSystem.lstat?.(path, options) ?? this.#fileSystem.stat(path, options);
    return checkInfo(await this.#calls.run(call, options.signal));
  }

  list(path: string, options: CallOptions): EntryBatches<DirectoryEntry> {
    return new EntryBatches(this.#each(() => this.#fileSystem.list(path, options), options, checkEntry));
  }

  listNames(path: string, options: CallOptions): EntryBatches<string> {
    return new EntryBatches(this.#each(() => this.#fileSystem.listNames?.(path, options) ?? [], options, checkName));
  }

  listTypes(path: string, options: CallOptions): EntryBatches<DirectoryEntry> {
    return new EntryBatches(this.#each(() => this.#fileSystem.listTypes?.(path, options) ?? [], options, checkEntry));
  }

  async openRead(path: string, options: OpenReadOptions): Promise<ReadableFile> {
    const file = await this.#open(() => this.#fileSystem.openRead(path, options), options);
    return new GuardedReadableFile(file, new CallQueue(this.#calls, () => file.close(), this.#report));
  }

  async openWrite(path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile> {
    const file = await this.#open(() => this.#fileSystem.openWrite?.(path, mode, options), options);
    return new GuardedWritableFile(file, new CallQueue(this.#calls, () => file.close(), this.#report));
  }

  async availableBytes(path: string, options: CallOptions): Promise<number> {
    const call = () => this.#fileSystem.availableBytes?.(path, options);
    return checkAvailable(await this.#calls.run(call, options.signal));
  }

  async resumable(path: string, options: CallOptions): Promise<number | undefined> {
    return checkResumable(await this.#calls.run(() => this.#fileSystem.resumable?.(path, options), options.signal));
  }

  async digest(path: string, algorithm: HashAlgorithm, options: CallOptions): Promise<FileDigest | undefined> {
    const call = () => this.#fileSystem.digest?.(path, algorithm, options);
    return checkDigest(await this.#calls.run(call, options.signal));
  }

  async quotas(options: CallOptions): Promise<readonly QuotaReport[]> {
    return checkQuotas(await this.#calls.run(() => this.#fileSystem.quotas?.(options) ?? [], options.signal));
  }

  /** The methods that return nothing, as far as there are any. */
  changes(): Partial<FileSystem> {
    const { remove, makeDirectory, removeDirectory, rename, setModified, setMode } = this.#fileSystem;
    return {
      ...remove && { remove: this.#forward(remove) },
      ...makeDirectory && { makeDirectory: this.#forward(makeDirectory) },
      ...removeDirectory && { removeDirectory: this.#forward(removeDirectory) },
      ...rename && { rename: this.#forward(rename) },
      ...setModified && { setModified: this.#forward(setModified) },
      ...setMode && { setMode: this.#forward(setMode) },
    };
  }

  #forward<Arguments extends [...unknown[], CallOptions]>(
    method: (...args: Arguments) => Promise<void>,
  ): (...args: Arguments) => Promise<void> {
    return async (...args) => {
      // Nothing is handed on but what the port names
      const { signal, umask } = args.at(-1) as CallOptions & Partial<CreateOptions>;
      const options = umask === undefined ? { signal } : { signal, umask };
      const call = () => method.apply(this.#fileSystem, [...args.slice(0, -1), options] as unknown as Arguments);
      await this.#calls.run(call, signal);
    };
  }

  /** Opens a file; one that opens when nobody waits any more is closed. */
  async #open<File extends ReadableFile | WritableFile>(
    open: () => Promise<File> | undefined,
    { signal }: CallOptions,
  ): Promise<File> {
    return checkOpen(await this.#calls.run(open, signal, (file) => file?.close()));
  }

  /** Hands on what is right in a listing; what is not is left out and reported, once for each listing. */
  async *#each<Item>(
    start: () => AsyncIterable<Item> | Iterable<Item>,
    { signal }: CallOptions,
    check: (item: Item) => Item,
  ): AsyncGenerator<readonly Item[], void, undefined> {
    const { iterator, batch } = await this.#calls.run(() => stepsOf(start(), check), signal);
    using waiting = new AbortableWait(signal);
    let isEnded = false;
    let reported = false;
    try {
      for (;;) {
        signal.throwIfAborted();
        const step = Promise.resolve(iterator.next());
        const { done, value } = await waiting.for(step);
        if (done) {
          isEnded = true;
          return;
        }
        const item = attempt(() => batch(value));
        if ("value" in item) yield item.value;
        else if (!reported) this.#report(item.error);
        reported ||= "error" in item;
      }
    } catch (error) {
      isEnded = !signal.aborted;
      throw error;
    } finally {
      // Behind a step that never settles this does not settle either
      if (!isEnded) this.#calls.track(Promise.try(() => iterator.return?.())).catch(() => {}); // nobody waits for it
    }
  }
}

type AnyIterator = AsyncIterator<unknown, unknown, undefined> | Iterator<unknown, unknown, undefined>;

/** How a listing is gone through. */
interface Steps<Item> {
  readonly iterator: AnyIterator;
  /** The entries that come with one step, once they are right. */
  readonly batch: (value: unknown) => readonly Item[];
}

function stepsOf<Item>(items: AsyncIterable<Item> | Iterable<Item>, check: (item: Item) => Item): Steps<Item> {
  // No program makes these; what comes in them was checked where it was made
  if (items instanceof EntryBatches) return { iterator: items.batches, batch: (value) => value as readonly Item[] };
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  return { iterator, batch: (value) => [check(value as Item)] };
}

function attempt<Value>(operation: () => Value): { readonly value: Value } | { readonly error: unknown } {
  try {
    return { value: operation() };
  } catch (error) {
    return { error };
  }
}

/** Waits for one promise after the other, each no longer than a signal lasts, with one listener for all of them. */
class AbortableWait implements Disposable {
  readonly #signal: AbortSignal;
  #reject: ((reason: unknown) => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#abort);
  }

  for<Value>(promise: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      promise.then(resolve, reject);
    });
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => this.#reject?.(this.#signal.reason);
}

/** Lets the calls on one file go one after the other, its closing last. */
class CallQueue {
  readonly #calls: PendingCalls;
  readonly #closeFile: () => void | Promise<void>;
  readonly #report: Report;
  /** The call that is under way, whether or not anybody waits for it. */
  #last: Promise<unknown> | undefined;
  #closing: Promise<void> | undefined;

  constructor(calls: PendingCalls, closeFile: () => void | Promise<void>, report: Report) {
    this.#calls = calls;
    this.#closeFile = closeFile;
    this.#report = report;
  }

  run<Value>(call: () => Promise<Value>, { signal }: CallOptions): Promise<Value> {
    return this.#calls.run(() => {
      const running = Promise.try(call);
      this.#last = running;
      const settled = () => {
        if (this.#last === running) this.#last = undefined;
      };
      running.then(settled, settled);
      return running;
    }, signal);
  }

  /** Closes the file, at once where nothing is under way. Never rejects. */
  close(): void | Promise<void> {
    if (this.#closing !== undefined) return this.#closing;
    const closing = this.#last === undefined ? this.#closeNow() : this.#last.then(this.#closeNow, this.#closeNow);
    this.#closing = Promise.resolve(closing);
    if (closing instanceof Promise) return this.#calls.track(closing);
  }

  readonly #closeNow = (): void | Promise<void> => {
    try {
      const closing = this.#closeFile();
      if (closing instanceof Promise) return closing.catch(this.#report);
    } catch (error) {
      this.#report(error);
    }
  };
}

class GuardedReadableFile implements ReadableFile {
  readonly size: number;
  readonly #file: ReadableFile;
  readonly #queue: CallQueue;

  constructor(file: ReadableFile, queue: CallQueue) {
    this.#file = file;
    this.#queue = queue;
    this.size = file.size;
  }

  async read(buffer: Uint8Array, options: CallOptions): Promise<number | null> {
    return checkCount(await this.#queue.run(() => this.#file.read(buffer, options), options), buffer);
  }

  close(): void | Promise<void> {
    return this.#queue.close();
  }
}

class GuardedWritableFile implements WritableFile {
  readonly path?: string;
  readonly #file: WritableFile;
  readonly #queue: CallQueue;

  constructor(file: WritableFile, queue: CallQueue) {
    this.#file = file;
    this.#queue = queue;
    if (file.path !== undefined) this.path = file.path;
  }

  write(bytes: Uint8Array, options: CallOptions): Promise<void> {
    return this.#queue.run(() => this.#file.write(bytes, options), options);
  }

  finish(options: FinishOptions): Promise<void> {
    return this.#queue.run(() => this.#file.finish(options), options);
  }

  close(): void | Promise<void> {
    return this.#queue.close();
  }
}
