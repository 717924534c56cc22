/**
 * A bucket of the stand-in for S3: what is visible in it, and the uploads that have not ended.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { S3Error } from "./s3_error.ts";
import type { Payload, StoredBytes } from "./s3_payload.ts";
import { SortedKeys } from "./sorted_keys.ts";

/** An object that is visible. */
export interface StoredObject extends StoredBytes {
  /** With its quotes. */
  readonly etag: string;
  readonly modified: Date;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly crc32c?: string;
}

/** A part of an upload. */
export interface StoredPart extends Payload {
  readonly number: number;
  readonly modified: Date;
}

/** An upload that has not ended. */
export interface StoredUpload {
  readonly key: string;
  readonly uploadId: string;
  readonly begun: Date;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly parts: Map<number, StoredPart>;
}

/** A change of what is visible. */
export interface JournalEntry {
  readonly operation: "CompleteMultipartUpload" | "CopyObject" | "DeleteObject" | "DeleteObjects" | "PutObject";
  readonly key: string;
  /** What is visible then; absent: nothing. */
  readonly object?: StoredObject;
}

/** On what condition something is put or removed, as headers have it. */
export interface StoredCondition {
  readonly ifMatch: string | null;
  readonly ifNoneMatch: string | null;
}

/** Contents of a bucket. Every method is done at once, as seen by all requests. */
export class S3Bucket {
  readonly #objects = new Map<string, StoredObject>();
  readonly #uploads = new Map<string, StoredUpload>();
  #uploadCount = 0;
  /** Keys of what is visible, in the order of listings. */
  readonly keys: SortedKeys = new SortedKeys();
  /** Every change of what is visible, the oldest first. */
  readonly journal: JournalEntry[] = [];

  /** What is visible. */
  get objects(): ReadonlyMap<string, StoredObject> {
    return this.#objects;
  }

  /** Uploads that have not ended, in the order of their keys, and of their beginnings where they are the same. */
  get uploads(): readonly StoredUpload[] {
    return [...this.#uploads.values()].sort((left, right) =>
      this.keys.compare(left.key, right.key) || this.keys.compare(left.uploadId, right.uploadId)
    );
  }

  /** An object; throws `NoSuchKey`. */
  object(key: string): StoredObject {
    const object = this.#objects.get(key);
    if (object === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.");
    return object;
  }

  /** An upload; throws `NoSuchUpload`. */
  upload(key: string, uploadId: string): StoredUpload {
    const upload = this.#uploads.get(uploadId);
    if (upload?.key !== key) throw new S3Error("NoSuchUpload", "The specified upload does not exist.");
    return upload;
  }

  /** Throws `PreconditionFailed`, or `NoSuchKey` where a version is asked for and nothing is there. */
  check(key: string, { ifMatch, ifNoneMatch }: StoredCondition): void {
    const object = this.#objects.get(key);
    if (ifMatch !== null && object === undefined) throw new S3Error("NoSuchKey", "The specified key does not exist.");
    const isMet = (ifMatch === null || matches(object, ifMatch)) &&
      (ifNoneMatch === null || !matches(object, ifNoneMatch));
    if (!isMet) {
      throw new S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    }
  }

  /** Makes an object visible. */
  put(operation: JournalEntry["operation"], key: string, object: StoredObject): void {
    if (!this.#objects.has(key)) this.keys.add(key);
    this.#objects.set(key, object);
    this.journal.push({ operation, key, object });
  }

  /** Removes an object, if there is one. */
  delete(operation: JournalEntry["operation"], key: string): void {
    if (!this.#objects.delete(key)) return;
    this.keys.delete(key);
    this.journal.push({ operation, key });
  }

  /** Begins an upload. */
  begin(upload: Omit<StoredUpload, "parts" | "uploadId">): StoredUpload {
    const number = String(++this.#uploadCount).padStart(8, "0");
    const begun = { ...upload, uploadId: `${number}-${crypto.randomUUID()}`, parts: new Map<number, StoredPart>() };
    this.#uploads.set(begun.uploadId, begun);
    return begun;
  }

  /** Gives an upload up, or takes it away when it is done; throws `NoSuchUpload`. */
  end(key: string, uploadId: string): void {
    this.upload(key, uploadId);
    this.#uploads.delete(uploadId);
  }

  /** Makes the object of the parts of an upload visible; the parts have been checked. */
  complete(upload: StoredUpload, parts: readonly StoredPart[], modified: Date): StoredObject {
    const md5 = createHash("md5");
    for (const part of parts) md5.update(part.md5);
    const isKept = parts.every((part) => part.pieces !== undefined);
    const object: StoredObject = {
      size: parts.reduce((sum, part) => sum + part.size, 0),
      ...isKept && { pieces: parts.flatMap((part) => part.pieces ?? []) },
      etag: `"${md5.digest("hex")}-${parts.length}"`,
      modified,
      metadata: upload.metadata,
      contentType: upload.contentType,
    };
    this.end(upload.key, upload.uploadId);
    this.put("CompleteMultipartUpload", upload.key, object);
    return object;
  }
}

/** ETag of bytes that came in one piece. */
export function plainEtag(md5: Uint8Array): string {
  return `"${Buffer.from(md5).toString("hex")}"`;
}

/** Whether an object is one of the versions that a condition names; quotes may be missing. */
export function matches(object: StoredObject | undefined, condition: string): boolean {
  if (object === undefined) return false;
  return condition.split(",").map((it) => it.trim()).some((it) =>
    it === "*" || `"${it.replaceAll('"', "")}"` === object.etag
  );
}
