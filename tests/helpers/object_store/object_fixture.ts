/**
 * An object file system on a store in memory, with small parts.
 *
 * @module
 */

import { ObjectFileSystem, type ObjectFileSystemOptions } from "../../../lib/filesystem/object/object_filesystem.ts";
import { PartBuffers } from "../../../lib/filesystem/object/part_buffers.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import { MemoryRecords } from "../../../lib/state/memory_records.ts";
import { MemoryObjectStore, type MemoryObjectStoreOptions } from "./memory_object_store.ts";

/** Bytes of a part. */
export const PART = 8;

/** What a test has to do with. */
export interface ObjectFixture {
  readonly store: MemoryObjectStore;
  readonly records: MemoryRecords;
  readonly claims: WriteClaims;
  readonly buffers: PartBuffers;
  readonly fileSystem: ObjectFileSystem;
  /** Another file system on the same store and state. */
  another(options?: Partial<ObjectFileSystemOptions>): ObjectFileSystem;
}

/** Makes a file system with the given objects. */
export function objectFixture(
  objects: Readonly<Record<string, string | Uint8Array>> = {},
  options: Partial<ObjectFileSystemOptions> & { readonly stored?: MemoryObjectStoreOptions } = {},
): ObjectFixture {
  const store = new MemoryObjectStore({ prefix: "ftp/", minPartBytes: PART, ...options.stored });
  for (const [key, content] of Object.entries(objects)) store.set(key, content);
  const [records, claims] = [new MemoryRecords(options.now ? { now: options.now } : {}), new WriteClaims()];
  const buffers = new PartBuffers({ maxBytes: 512 * PART, blockBytes: PART / 2 });
  const shared = { owner: "alice", claims, records, buffers, partSize: PART, report: raise, ...options };
  const another = (other?: Partial<ObjectFileSystemOptions>) => new ObjectFileSystem(store, { ...shared, ...other });
  return { store, records, claims, buffers, fileSystem: another(), another };
}

function raise(error: unknown): void {
  throw error;
}

/** Bytes that differ from place to place. */
export function sampleBytes(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => 97 + (index * 7 + seed + (index >> 4)) % 26);
}
