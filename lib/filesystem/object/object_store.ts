/**
 * What the object file system needs of a store with S3's interface: a dozen operations, each one request and its repetitions.
 *
 * Keys are those of the bucket, with the prefix of the store in front. All methods reject with `FileSystemError`: kind
 * `unavailable` for what fails on the store's side, also when it says that it may not be used; with {@linkcode StoreRefusal} for an
 * answer that the caller acts on; or with the reason of the signal.
 *
 * @module
 */

import type { CallOptions } from "../filesystem.ts";

/** An object, or a version of it. */
export interface ObjectInfo {
  readonly size: number;
  /** With the quotes that the store has around it. */
  readonly etag: string;
  readonly modified: Date;
  /** User metadata, names in lower case and without `x-amz-meta-`. Listings have none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** An object in a listing. */
export interface ListedObject extends Omit<ObjectInfo, "metadata"> {
  readonly key: string;
}

/** A page of a listing, in the order of UTF-8 bytes. */
export interface ListPage {
  readonly objects: readonly ListedObject[];
  /** What keys have in common up to and with the delimiter. */
  readonly prefixes: readonly string[];
  /** Where the next page begins; `undefined` at the end. */
  readonly next: string | undefined;
}

/** Which keys are listed. */
export interface ListOptions extends CallOptions {
  readonly prefix: string;
  /** Absent: all keys below the prefix. */
  readonly delimiter?: "/";
  /** {@linkcode ListPage.next} of the page before. */
  readonly next?: string | undefined;
  /** Only keys behind this one. Not together with `next`. */
  readonly after?: string;
  /** At most 1,000, the default. */
  readonly limit?: number;
}

/** What an object is opened for. */
export interface GetOptions extends CallOptions {
  /** First byte. */
  readonly from: number;
  /** The version that is read; another one in its place is the refusal `changed`. */
  readonly etag: string;
}

/** On what condition an object is put in its place. */
export interface PutCondition {
  /** Only where there is no object of that key, or only in the place of this version. Absent: whatever is there. */
  readonly ifMatch?: { readonly etag: string } | "nothing";
}

/** How an object is put. */
export interface PutOptions extends CallOptions, PutCondition {
  readonly metadata?: Readonly<Record<string, string>>;
}

/** How an object is copied; the copy gets the metadata of the original unless others are given. */
export interface CopyOptions extends PutOptions {
  /** The version that is copied; another one in its place is the refusal `changed`. */
  readonly etag: string;
}

/** Bytes of an object or a part, as they lie in buffers of the pool. */
export type Body = readonly Uint8Array[];

/** A part of an upload. */
export interface UploadedPart {
  /** From 1 on, at most 10,000. */
  readonly number: number;
  readonly etag: string;
  readonly size: number;
}

/** A multipart upload that was begun. */
export interface PendingMultipart {
  readonly key: string;
  readonly uploadId: string;
  readonly begun: Date;
}

/** A multipart upload. */
export type UploadName = Pick<PendingMultipart, "key" | "uploadId">;

/** A page of the uploads that were begun and have not ended. */
export interface UploadsPage {
  readonly uploads: readonly PendingMultipart[];
  readonly next: { readonly key: string; readonly uploadId: string } | undefined;
}

/** What the store can do beside the operations that all have. */
export interface StoreAbilities {
  /** Whether PUT, CopyObject and CompleteMultipartUpload obey `ifMatch`. */
  readonly conditions: { readonly put: boolean; readonly complete: boolean };
}

/** The store. It owns its connections, until it is disposed of. */
export interface ObjectStore extends AsyncDisposable {
  /** Names the bucket and its store, for claims: the same for all that lead to the same objects. */
  readonly name: string;
  /** Beginning of all keys; empty, or ends with `/`. */
  readonly prefix: string;
  /** Finds out once what the store can do, by harmless requests below the prefix. */
  abilities(options: CallOptions): Promise<StoreAbilities>;
  /** `undefined` when there is no such object. */
  head(key: string, options: CallOptions): Promise<ObjectInfo | undefined>;
  list(options: ListOptions): Promise<ListPage>;
  /** Reads from the body until its end or until it is cancelled; a body that ends early errors as `unavailable`. */
  get(key: string, options: GetOptions): Promise<ReadableStream<Uint8Array>>;
  /** Puts an object, and returns its ETag. Refusal `condition`. */
  put(key: string, body: Body, options: PutOptions): Promise<string>;
  /** Copies an object of up to 5 GiB. Refusals `condition`, `changed`, `missing`. Returns its ETag. */
  copy(from: string, to: string, options: CopyOptions): Promise<string>;
  /** Removes objects, those that are not there too; any number of them. */
  remove(keys: readonly string[], options: CallOptions): Promise<void>;
  beginUpload(key: string, options: Omit<PutOptions, "ifMatch">): Promise<string>;
  /** Uploads a part, and returns its ETag. Refusal `missing` when the upload is gone. */
  uploadPart(upload: UploadName, number: number, body: Body, options: CallOptions): Promise<string>;
  /** Copies a range of an object as a part; `to` is not included. Refusals `changed`, `missing`. */
  copyPart(
    upload: UploadName,
    number: number,
    source: { readonly key: string; readonly etag: string; readonly from: number; readonly to: number },
    options: CallOptions,
  ): Promise<string>;
  /**
   * Makes the object of its parts, and returns its ETag. A request whose answer was lost is repeated only in a way that finds out
   * whether it was done. Refusals `condition`, `missing` when the upload is gone.
   */
  completeUpload(
    upload: UploadName,
    parts: readonly UploadedPart[],
    options: CallOptions & PutCondition & { readonly onProgress?: () => void },
  ): Promise<string>;
  /** Gives an upload up; one that is gone already, too. */
  abortUpload(upload: UploadName, options: CallOptions): Promise<void>;
  /** The parts of an upload, all of them, by number. Refusal `missing`. */
  listParts(upload: UploadName, options: CallOptions): Promise<readonly UploadedPart[]>;
  listUploads(
    options: CallOptions & { readonly prefix: string; readonly next?: UploadsPage["next"] },
  ): Promise<UploadsPage>;
}

/** An answer that is no failure of the store. */
export class StoreRefusal extends Error {
  override readonly name = "StoreRefusal";
  /**
   * - `missing`: no such object or upload;
   * - `changed`: the object is not the version that was asked for;
   * - `condition`: something is, or is not, in the place where an object was to be put;
   * - `tooLarge`: more than the store takes in one request or object.
   */
  readonly kind: "changed" | "condition" | "missing" | "tooLarge";

  constructor(kind: StoreRefusal["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
