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
  /** Bytes. */
  readonly size: number;
  /** With the quotes that the store has around it. */
  readonly etag: string;
  /** When it was put. */
  readonly modified: Date;
  /** User metadata, names in lower case and without `x-amz-meta-`. Listings have none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** An object in a listing. */
export interface ListedObject extends Omit<ObjectInfo, "metadata"> {
  /** Its name in the bucket. */
  readonly key: string;
}

/** A page of a listing, in the order of UTF-8 bytes. */
export interface ListPage {
  /** Those that have no delimiter behind the prefix. */
  readonly objects: readonly ListedObject[];
  /** What keys have in common up to and with the delimiter. */
  readonly prefixes: readonly string[];
  /** Where the next page begins; `undefined` at the end. */
  readonly next: string | undefined;
}

/** Which keys are listed. */
export interface ListOptions extends CallOptions {
  /** Beginning of the keys. */
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

/** What an object is opened for. The signal rules its body, too. */
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
  /** User metadata: names in lower case, all of it printable ASCII. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** How an object is copied; the copy gets the metadata of the original unless others are given. */
export interface CopyOptions extends PutOptions {
  /** The version that is copied; another one in its place is the refusal `changed`. */
  readonly etag: string;
}

/** Bytes of an object or a part, as they lie in buffers of the pool. */
export type Body = readonly Uint8Array[];

/** How an object is made of its parts. */
export interface CompleteOptions extends CallOptions, PutCondition {
  /**
   * Metadata that this upload was begun with, and no other: it tells its object from another's when an answer was lost. Absent:
   * an object of the same content counts as that of the upload, where ETags tell.
   */
  readonly begunWith?: Readonly<Record<string, string>>;
  /** Called while the store is at work, once a second or more often, as long as it may take. */
  readonly onProgress?: () => void;
}

/** A part of an upload. */
export interface UploadedPart {
  /** From 1 on, at most 10,000. */
  readonly number: number;
  /** Of its bytes, as the store has it. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

/** A multipart upload that was begun. */
export interface PendingMultipart {
  /** Of the object that it will be. */
  readonly key: string;
  /** The store's name for it. */
  readonly uploadId: string;
  /** When it was begun. */
  readonly begun: Date;
}

/** A multipart upload. */
export type UploadName = Pick<PendingMultipart, "key" | "uploadId">;

/** A page of the uploads that were begun and have not ended. */
export interface UploadsPage {
  /** In the order of keys. */
  readonly uploads: readonly PendingMultipart[];
  /** Where the next page begins; `undefined` at the end. */
  readonly next: { readonly key: string; readonly uploadId: string } | undefined;
}

/** What the store can do beside the operations that all have. */
export interface StoreAbilities {
  /** Whether PUT, CopyObject and CompleteMultipartUpload obey `ifMatch`. Those that do not ignore it, or refuse the request. */
  readonly conditions: { readonly put: boolean; readonly copy: boolean; readonly complete: boolean };
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
  /** Lists a page of objects. */
  list(options: ListOptions): Promise<ListPage>;
  /** Returns the bytes from `from` on, exactly to the end: a body that ends early is asked for again, and errors as `unavailable`
   * when that does not help, or as `changed`. Read it to its end, or cancel it. Refusals `changed`, `missing`. */
  get(key: string, options: GetOptions): Promise<ReadableStream<Uint8Array>>;
  /** Puts an object, and returns its ETag. Refusals `condition`, `tooLarge`. Metadata is ASCII. */
  put(key: string, body: Body, options: PutOptions): Promise<string>;
  /** Copies an object of up to 5 GiB, and returns the ETag of the copy. Refusals `condition`, `changed`, `missing`, `tooLarge`. */
  copy(from: string, to: string, options: CopyOptions): Promise<string>;
  /** Removes objects, those that are not there too; any number of them. */
  remove(keys: readonly string[], options: CallOptions): Promise<void>;
  /** Begins a multipart upload, and returns its id. One whose answer was lost stays begun, for who looks for old ones. */
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
   * Makes the object of its parts, and returns its ETag, also when it was made before and its answer was lost. Refusals `condition`;
   * `changed` when the upload has other parts, or none of that number; `missing` when the upload is gone, and the object in its
   * place is not known to be its own. After `unavailable` it may have been made, or be made yet.
   */
  completeUpload(upload: UploadName, parts: readonly UploadedPart[], options: CompleteOptions): Promise<string>;
  /** Gives an upload up; one that is gone already, too. */
  abortUpload(upload: UploadName, options: CallOptions): Promise<void>;
  /** The parts of an upload, all of them, by number. Refusal `missing`. */
  listParts(upload: UploadName, options: CallOptions): Promise<readonly UploadedPart[]>;
  /** Lists a page of uploads that have not ended. */
  listUploads(
    options: CallOptions & { readonly prefix: string; readonly next?: UploadsPage["next"] },
  ): Promise<UploadsPage>;
}

/** An answer that is no failure of the store. */
export class StoreRefusal extends Error {
  /** Name of the class. */
  override readonly name = "StoreRefusal";
  /**
   * - `missing`: no such object or upload;
   * - `changed`: the object is not the version that was asked for;
   * - `condition`: something is, or is not, in the place where an object was to be put;
   * - `tooLarge`: more than the store takes in one request or object.
   */
  readonly kind: "changed" | "condition" | "missing" | "tooLarge";

  /** Makes a refusal of the given kind. */
  constructor(kind: StoreRefusal["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}
