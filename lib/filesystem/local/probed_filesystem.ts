/**
 * A folder of the host on a mount that may hang.
 *
 * @module
 */

import { resolve } from "node:path";
import type { FileClaims } from "../file_claims.ts";
import type {
  CallOptions,
  CreateOptions,
  FileSystem,
  OpenReadOptions,
  ReadableFile,
  WritableFile,
  WriteMode,
} from "../filesystem.ts";
import { batchesOf, EntryBatches } from "../entry_batches.ts";
import { LocalFileSystem } from "./local_filesystem.ts";
import { type AskedMounts, MountProbe } from "./mount_probe.ts";

/** Asks whether the mount answers before anything is done on it. Only who uses it waits when it does not. */
function probed(files: LocalFileSystem, probe: MountProbe): FileSystem {
  const once = <Result>(call: () => Promise<Result>, { signal }: CallOptions): Promise<Result> => {
    const answered = probe.answered(signal);
    return answered === undefined ? call() : answered.then(call);
  };
  const forward = <Arguments extends [...unknown[], CallOptions], Result>(
    method: (...args: Arguments) => Promise<Result>,
  ) =>
  (...args: Arguments) => once(() => method.apply(files, args), args.at(-1) as CallOptions);
  const { stat, lstat, remove, makeDirectory, removeDirectory, rename, setModified, setMode, availableBytes } = files as
    & FileSystem
    & Required<Pick<FileSystem, keyof LocalFileSystem>>;
  /** Has to be done, however long it takes until the mount answers again. */
  const close = async (file: ReadableFile | WritableFile) => {
    await probe.answered(new AbortController().signal);
    await file.close();
  };
  return {
    listsSorted: true,
    stat: forward(stat),
    lstat: forward(lstat),
    remove: forward(remove),
    makeDirectory: forward(makeDirectory),
    removeDirectory: forward(removeDirectory),
    rename: forward(rename),
    setModified: forward(setModified),
    setMode: forward(setMode),
    ...availableBytes && { availableBytes: forward(availableBytes) },
    list: (path: string, options: CallOptions) => new EntryBatches(each(files.list(path, options), probe, options)),
    listNames: (path: string, options: CallOptions) =>
      new EntryBatches(each(files.listNames(path, options), probe, options)),
    listTypes: (path: string, options: CallOptions) =>
      new EntryBatches(each(files.listTypes(path, options), probe, options)),
    async openRead(path: string, options: OpenReadOptions): Promise<ReadableFile> {
      const file = await once(() => files.openRead(path, options), options);
      if (!probe.mayHang) return file;
      return {
        size: file.size,
        read: (buffer, options) => once(() => file.read(buffer, options), options),
        close: () => close(file),
      };
    },
    async openWrite(path: string, mode: WriteMode, options: CreateOptions): Promise<WritableFile> {
      const file = await once(() => files.openWrite(path, mode, options), options);
      if (!probe.mayHang) return file;
      return {
        write: (bytes, options) => once(() => file.write(bytes, options), options),
        finish: (options) => once(() => file.finish(options), options),
        close: () => close(file),
      };
    },
  };
}

/** Asks the mount before each batch is looked up. */
async function* each<Entry>(
  entries: AsyncIterable<Entry>,
  probe: MountProbe,
  { signal }: CallOptions,
): AsyncGenerator<readonly Entry[], void, undefined> {
  await probe.answered(signal);
  for await (const batch of batchesOf(entries)) {
    yield batch;
    await probe.answered(signal);
  }
}

/**
 * Makes what opens folders as homes; where one is on a network or FUSE mount that hangs, only the sessions on that mount wait.
 *
 * @param writeClaims Who writes what in all of them.
 */
export function homeOpener(writeClaims: FileClaims): (home: string) => FileSystem {
  const asked: AskedMounts = new Map();
  const roots = new Set<string>();
  return (home) => {
    const root = resolve(home);
    roots.add(root);
    const files = new LocalFileSystem(root, { writeClaims, roots });
    const probe = new MountProbe(root, { maySeeType: files.availableBytes !== undefined, asked });
    return probed(files, probe);
  };
}
