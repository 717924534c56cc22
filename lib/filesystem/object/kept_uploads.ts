/**
 * Uploads that have begun in parts: where they can go on, for the account that has begun them, and which are to be swept.
 *
 * @module
 */

import type { StateRecords } from "../../state/records.ts";
import type { CallOptions } from "../filesystem.ts";
import type { UploadedPart } from "./object_store.ts";
import { answer } from "./store_failure.ts";

const UPLOADS = "uploads";

/** An object of which an upload keeps something. */
export interface BaseObject {
  readonly etag: string;
  readonly size: number;
  /** Whether what is behind the last byte that was written stays. */
  readonly keepsTail: boolean;
}

/** An upload in parts. */
export interface KeptUpload {
  readonly uploadId: string;
  /** Marks the object that it becomes. */
  readonly id: string;
  readonly how: "place" | "replace";
  readonly base?: BaseObject | undefined;
  /** The parts that it can go on behind; absent while it is written, and when whoever wrote it was killed. */
  readonly parts?: readonly UploadedPart[] | undefined;
  /** How many of its first parts are not to be written anew; absent: all that are there have come in order. */
  readonly trustedParts?: number | undefined;
  /** Until when it is kept, in milliseconds since 1970; while it is written, if whoever writes it is killed. */
  readonly keptUntil: number;
}

/** Records of the uploads of one account. */
export class KeptUploads {
  readonly #records: StateRecords;
  readonly #store: string;
  readonly #owner: string;

  /**
   * @param store Name of the store.
   * @param owner Account.
   */
  constructor(records: StateRecords, store: string, owner: string) {
    this.#records = records;
    this.#store = store;
    this.#owner = owner;
  }

  /** The upload to a key, if there is one. */
  async get(key: string, { signal }: CallOptions): Promise<KeptUpload | undefined> {
    const value = await answer(this.#records.get(UPLOADS, this.#key(key)), signal);
    return value === undefined ? undefined : JSON.parse(value);
  }

  /** Sets the upload to a key. */
  async set(key: string, upload: KeptUpload, { signal }: CallOptions): Promise<void> {
    const record = JSON.stringify(upload);
    await answer(this.#records.set(UPLOADS, this.#key(key), record, { expiresAt: upload.keptUntil }), signal);
  }

  /** Forgets the upload to a key. */
  async delete(key: string, { signal }: CallOptions): Promise<void> {
    await answer(this.#records.delete(UPLOADS, this.#key(key)), signal);
  }

  #key(key: string): string {
    return `${uploadsOf(this.#store, key)}${this.#owner}`;
  }
}

/** Finds the record of an upload, whosever it is. */
export async function findUpload(
  records: StateRecords,
  upload: { readonly store: string; readonly key: string; readonly uploadId: string },
  { signal }: CallOptions,
): Promise<{ readonly kept: KeptUpload; forget(): Promise<void> } | undefined> {
  const prefix = uploadsOf(upload.store, upload.key);
  for (const { key, value } of await answer(records.list(UPLOADS, { prefix }), signal)) {
    const kept: KeptUpload = JSON.parse(value);
    if (kept.uploadId === upload.uploadId) {
      return { kept, forget: () => answer(Promise.resolve(records.delete(UPLOADS, key)), signal) };
    }
  }
  return undefined;
}

/** What the keys of all accounts' uploads to a key begin with; no name has a line end. */
function uploadsOf(store: string, key: string): string {
  return `${store}/${key}\n`;
}

/** The parts that an upload can go on behind: from the first on without a gap, each large enough to have one behind it. */
export function wholeParts(parts: readonly UploadedPart[], minPartSize: number): UploadedPart[] {
  const sorted = [...parts].sort((one, other) => one.number - other.number);
  const end = sorted.findIndex(({ number, size }, index) => number !== index + 1 || size < minPartSize);
  return end < 0 ? sorted : sorted.slice(0, end);
}

/** Bytes of parts. */
export function bytesOf(parts: readonly UploadedPart[]): number {
  return parts.reduce((sum, { size }) => sum + size, 0);
}
