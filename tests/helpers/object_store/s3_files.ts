/**
 * An object file system on a store that is reached over HTTP, with memory and records of its own.
 *
 * @module
 */

import { ObjectFileSystem, type ObjectFileSystemOptions } from "../../../lib/filesystem/object/object_filesystem.ts";
import { type SweepResult, sweepStore } from "../../../lib/filesystem/object/object_sweep.ts";
import { PartBuffers } from "../../../lib/filesystem/object/part_buffers.ts";
import { S3Store, type S3StoreOptions } from "../../../lib/filesystem/object/s3_store.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import { MemoryRecords } from "../../../lib/state/memory_records.ts";
import { TEST_CREDENTIALS, TEST_REGION } from "./s3_signature.ts";

/** Which store, and how its files are kept. */
export interface S3FilesOptions {
  /** URL of the store. */
  readonly endpoint: string;
  /** What all keys begin with; empty, or ends with a slash. */
  readonly prefix?: string;
  /** @default {5 MiB} */
  readonly partSize?: number;
  /** Bytes of memory for parts. @default {32 parts} */
  readonly bufferBytes?: number;
  readonly store?: Partial<S3StoreOptions>;
  readonly files?: Partial<ObjectFileSystemOptions>;
}

const MIN_PART_BYTES = 5 * 2 ** 20;
const BUCKET = "files";

/** A file system, and what it is made of. */
export class S3Files implements AsyncDisposable {
  readonly store: S3Store;
  readonly fileSystem: ObjectFileSystem;
  readonly records: MemoryRecords = new MemoryRecords();
  readonly claims: WriteClaims = new WriteClaims();
  readonly #now: () => number;

  constructor(options: S3FilesOptions) {
    const { endpoint, prefix = "", partSize = MIN_PART_BYTES, bufferBytes = 32 * partSize } = options;
    const { accessKey: accessKeyId, secretKey: secretAccessKey } = TEST_CREDENTIALS;
    this.store = new S3Store({
      endpoint,
      region: TEST_REGION,
      bucket: BUCKET,
      prefix,
      credentials: () => Promise.resolve({ accessKeyId, secretAccessKey }),
      ...options.store,
    });
    this.#now = options.files?.now ?? Date.now;
    this.fileSystem = new ObjectFileSystem(this.store, {
      owner: "user",
      claims: this.claims,
      records: this.records,
      buffers: new PartBuffers({ maxBytes: bufferBytes, blockBytes: Math.min(partSize, 2 ** 18) }),
      partSize,
      ...options.files,
    });
  }

  /** Sweeps as if so much time had gone by; of uploads that nobody goes on with nothing is left then. */
  async sweep(secondsLater: number): Promise<SweepResult> {
    const { claims, records } = this;
    const now = () => this.#now() + secondsLater * 1000;
    return await sweepStore(this.store, { claims, records, now, signal: new AbortController().signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
  }
}
