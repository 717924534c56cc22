/**
 * Files of the host that take the place of others, or a new name, once they are whole.
 *
 * @module
 */

import type { Containment } from "./containment.ts";
import { lstatIfThere } from "./path_resolver.ts";
import { type FileIdentity, type HostLocation, isOtherFile } from "./path_snapshot.ts";
import type { FileClaims } from "../file_claims.ts";
import { FileSystemError, type FinishOptions, type WritableFile } from "../filesystem.ts";
import { onHost } from "./host_error.ts";
import { LocalWritableFile, syncDirectory } from "./local_file.ts";
import {
  assertNotLost,
  assertStillTaken,
  claimOpened,
  claimReplaced,
  createRegular,
  type OpenFile,
  removeIfSame,
  type TakenName,
  undoCreate,
} from "./open_file.ts";
import { createPartName, HOST_RULES, joinHostPath, parentHostPath } from "./host_path.ts";

/** What a replacement is made with. */
export interface ReplacementOptions {
  /** Virtual path, for messages. */
  readonly path: string;
  /** Name that it takes in the end, of nothing or of a regular file. */
  readonly target: HostLocation;
  /** Whether it may take that name from a file. */
  readonly mayReplace: boolean;
  /** Permission bits, of which the process's umask takes away some. */
  readonly mode: number;
  readonly containment: Containment;
  readonly claims: FileClaims;
  readonly signal: AbortSignal | undefined;
}

const IS_NEW = true;

/**
 * Creates a file beside its future place. Closed before it is finished, it leaves nothing.
 *
 * @throws {FileSystemError} Kind `"notFound"` when its directory came to be outside the root.
 */
export async function createReplacement(options: ReplacementOptions): Promise<WritableFile> {
  const { path, target, mode, containment, claims, signal } = options;
  const part = joinHostPath(directoryOf(target), [createPartName()], HOST_RULES);
  // Nobody may read the new file who may not read the old one
  const created = onHost(path, () => {
    const old = bitsOf(lstatIfThere(target.hostPath));
    return createRegular(containment, { hostPath: part, snapshot: target.snapshot }, old ?? mode);
  });
  // Whoever removes left-overs asks for it
  const claim = await claimOpened(claims, created, { hostPath: part, isNew: IS_NEW, signal });
  return new LocalReplacement(
    options,
    { hostPath: part, ...created },
    new LocalWritableFile(path, part, created, claim),
  );
}

class LocalReplacement implements WritableFile {
  readonly #options: ReplacementOptions;
  readonly #part: string;
  readonly #identity: FileIdentity;
  readonly #file: LocalWritableFile;
  #isPlaced = false;

  constructor(options: ReplacementOptions, part: OpenFile & { readonly hostPath: string }, file: LocalWritableFile) {
    this.#options = options;
    this.#part = part.hostPath;
    this.#identity = part.stats;
    this.#file = file;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#file.write(bytes);
  }

  async finish(options: Partial<FinishOptions> = {}): Promise<void> {
    const { path, target } = this.#options;
    await this.#file.complete(options);
    const taken = { ...target, info: onHost(path, () => lstatIfThere(target.hostPath)) };
    using claim = await claimReplaced(this.#options.claims, taken, options.signal);
    assertNotLost(claim, path);
    onHost(path, () => this.#place(taken));
    if (options.sync) await syncDirectory(path, directoryOf(target));
  }

  close(): void {
    this.#file.close();
    if (this.#isPlaced) return;
    try {
      removeIfSame(this.#part, this.#identity);
    } catch {
      // The right to change the directory was taken away, say. It stays hidden, and goes with other left-overs
    }
  }

  #place(taken: TakenName): void {
    const { path, target, mayReplace, containment } = this.#options;
    const old = lstatIfThere(target.hostPath);
    assertStillTaken(taken, old);
    const mode = bitsOf(old);
    if (mode !== undefined) this.#file.setMode(mode);
    this.#file.close();
    containment.assertStable(target);
    if (isOtherFile(Deno.lstatSync(this.#part), this.#identity)) {
      throw new FileSystemError("notFound", `Cannot put "${path}" in its place: it was moved meanwhile`);
    }
    // The system knows no renaming to a free name alone: other processes have the moment between these two lines.
    if (!mayReplace && lstatIfThere(target.hostPath) !== undefined) {
      throw new FileSystemError("exists", `Cannot put "${path}" in its place: the name was taken meanwhile`);
    }
    Deno.renameSync(this.#part, target.hostPath);
    this.#isPlaced = true;
    if (containment.containsCreated(target, this.#identity)) return;
    undoCreate(target.hostPath, this.#identity);
    throw new FileSystemError("notFound", `Cannot put "${path}" in its place: that came to be outside the root`);
  }
}

/** Permission bits that a new file takes over from the one whose name it takes; none that let others act as its owner. */
function bitsOf(info: Deno.FileInfo | undefined): number | undefined {
  return Deno.build.os === "windows" || !info?.isFile || info.mode === null ? undefined : info.mode & 0o777;
}

function directoryOf(name: HostLocation): string {
  return parentHostPath(name.hostPath, HOST_RULES);
}
