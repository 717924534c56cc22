/**
 * A file system whose opening calls wait until the test lets them go on.
 *
 * @module
 */

import type {
  CreateOptions,
  FileInfo,
  ReadableFile,
  WritableFile,
  WriteMode,
} from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { UNABORTED } from "./unaborted.ts";

/** Keeps callers of `stat()`, `openRead()` and `openWrite()` waiting while it is shut. */
export class GatedFileSystem extends MemoryFileSystem {
  #gate: PromiseWithResolvers<void> | undefined;
  #arrived = Promise.withResolvers<void>();

  /** Shuts the gate; what is returned resolves when the first caller waits. */
  shut(): Promise<void> {
    this.#gate = Promise.withResolvers<void>();
    this.#arrived = Promise.withResolvers<void>();
    return this.#arrived.promise;
  }

  /** Lets all callers go on. */
  open(): void {
    this.#gate?.resolve();
    this.#gate = undefined;
  }

  /** Makes a file. */
  async put(path: string, content: Uint8Array): Promise<void> {
    const file = await super.openWrite(path, "truncate");
    await file.write(content, UNABORTED);
    file.close();
  }

  override async stat(path: string): Promise<FileInfo> {
    await this.#pass();
    return await super.stat(path);
  }

  override async openRead(path: string, options?: { readonly offset?: number }): Promise<ReadableFile> {
    await this.#pass();
    return await super.openRead(path, options);
  }

  override async openWrite(path: string, mode: WriteMode, options?: CreateOptions): Promise<WritableFile> {
    await this.#pass();
    return await super.openWrite(path, mode, options);
  }

  async #pass(): Promise<void> {
    this.#arrived.resolve();
    await this.#gate?.promise;
  }
}
