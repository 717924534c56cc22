/**
 * A store with S3's interface: Amazon S3, Ceph's object gateway, MinIO and others.
 *
 * @module
 */

import { abortable } from "../../deadline.ts";
import type { Trace } from "../../tracing.ts";
import { type CallOptions, FileSystemError } from "../filesystem.ts";
import {
  type Body,
  type CompleteOptions,
  type CopyOptions,
  type GetOptions,
  type ListOptions,
  type ListPage,
  type ObjectInfo,
  type ObjectStore,
  type PutCondition,
  type PutOptions,
  type StoreAbilities,
  StoreRefusal,
  type UploadedPart,
  type UploadName,
  type UploadsPage,
} from "./object_store.ts";
import { probeAbilities } from "./s3_abilities.ts";
import { BucketAddress } from "./s3_address.ts";
import { parseAnswer, readETag, readObjectInfo, readOrRefuse } from "./s3_answers.ts";
import type { CredentialSource } from "./s3_credentials.ts";
import { Download } from "./s3_download.ts";
import { listObjects, listParts, listUploads } from "./s3_listings.ts";
import { removeAll } from "./s3_removal.ts";
import { type OnRequest, type Settled, StoreRequests, type StoreTimeouts } from "./s3_requests.ts";
import type { TextAnswer } from "./s3_transport.ts";
import { etagOfParts, isObjectOf, writeParts } from "./s3_uploads.ts";

/** Which bucket of which store, and how it is asked. */
export interface S3StoreOptions {
  /** `http:` or `https:` URL of the store, without the bucket. */
  readonly endpoint: string;
  /** Part of each signature; stores without regions take `us-east-1`. */
  readonly region: string;
  /** Name of the bucket, which must exist. */
  readonly bucket: string;
  /** Beginning of all keys; ends with `/`. @default {""} */
  readonly prefix?: string;
  /**
   * Whether the bucket is a component of the URL's path, and not of the host's name.
   *
   * @default true, but for endpoints of `amazonaws.com` and buckets without a dot
   */
  readonly pathStyle?: boolean;
  /** Asked for each request, so return what was read before. */
  readonly credentials: CredentialSource;
  /** Certificates in PEM form that are trusted beside the host's own. */
  readonly ca?: string;
  /** How long things may take. */
  readonly timeouts?: StoreTimeouts;
  /** Most requests at once that are not answered yet; bodies that are read do not count, they are their readers'. @default {64} */
  readonly maxConnections?: number;
  /** How often a request is tried before the store counts as out of reach. @default {5} */
  readonly maxAttempts?: number;
  /** Longest wait before the second attempt in milliseconds, doubled for each one later. @default {200} */
  readonly backoffMs?: number;
  /** Told how long each attempt of a request took to its answer. Must not throw. */
  readonly onRequest?: OnRequest | undefined;
  /** Does requests in spans; absent: nobody follows them. */
  readonly trace?: Trace | undefined;
  /** The time in milliseconds since 1970, for tests. @default {Date.now} */
  readonly now?: () => number;
}

/** How long a store is not asked again what it can do, when it has not answered. */
const PROBE_AGAIN_MS = 60_000;

/** The store. */
export class S3Store implements ObjectStore {
  readonly name: string;
  readonly prefix: string;
  readonly #address: BucketAddress;
  readonly #requests: StoreRequests;
  #probe: { readonly abilities: Promise<StoreAbilities | undefined>; readonly begun: number } | undefined;
  readonly #probing = new AbortController();

  /**
   * Makes no connection yet.
   *
   * @throws {TypeError} When the address is none.
   * @throws {RangeError} When a bound allows nothing.
   */
  constructor(options: S3StoreOptions) {
    const { region, credentials, ca, timeouts, prefix = "", maxConnections = 64, maxAttempts = 5 } = options;
    if (prefix !== "" && !prefix.endsWith("/")) {
      throw new TypeError(`Cannot use the prefix "${prefix}": it must end with "/"`);
    }
    if (!/^[\w-]+$/.test(region)) throw new TypeError(`Cannot use "${region}" as a region`);
    if (!(maxAttempts >= 1)) throw new RangeError(`Cannot try ${maxAttempts} times: it must be 1 or more`);
    this.#address = new BucketAddress(options);
    this.name = this.#address.name;
    this.prefix = prefix;
    const { backoffMs = 200, now = Date.now, onRequest, trace } = options;
    const address = this.#address;
    this.#requests = new StoreRequests({
      address,
      region,
      credentials,
      ca,
      timeouts,
      maxConnections,
      maxAttempts,
      backoffMs,
      now,
      onRequest,
      trace,
    });
  }

  async abilities(options: CallOptions): Promise<StoreAbilities> {
    const former = this.#probe;
    if (former !== undefined && performance.now() - former.begun > PROBE_AGAIN_MS) {
      const isKnown = await abortable(former.abilities, options.signal) !== undefined;
      // Somebody else may have begun to ask again
      if (!isKnown && this.#probe === former) this.#probe = undefined;
    }
    this.#probe ??= {
      abilities: probeAbilities(this, this.#probing.signal).catch(() => undefined),
      begun: performance.now(),
    };
    return await abortable(this.#probe.abilities, options.signal) ?? NO_ABILITIES;
  }

  async head(key: string, options: CallOptions): Promise<ObjectInfo | undefined> {
    const { signal } = options;
    const settled = await this.#requests.send({ method: "HEAD", key, doing: `look up ${quote(key)}`, signal });
    if (settled.error === undefined) return readOrRefuse(() => readObjectInfo(settled.answer.headers));
    if (isRefusal(settled.error, "missing")) return undefined;
    throw settled.error;
  }

  async list(options: ListOptions): Promise<ListPage> {
    return await listObjects(this.#requests, options);
  }

  async get(key: string, options: GetOptions): Promise<ReadableStream<Uint8Array>> {
    const download = new Download(this.#requests, key, options);
    await download.begin();
    return new ReadableStream(download, { highWaterMark: 0 });
  }

  async put(key: string, body: Body, options: PutOptions): Promise<string> {
    const { ifMatch, signal } = options;
    // What tells our object from another's when the first answer was lost and the second says that the place is taken.
    const mark: Record<string, string> = ifMatch === undefined ? {} : { "ftpsd-put": crypto.randomUUID() };
    const headers = { ...metadataHeaders({ ...options.metadata, ...mark }), ...conditionHeaders(options) };
    const settled = await this.#requests.send({
      method: "PUT",
      key,
      headers,
      body,
      doing: `put ${quote(key)}`,
      signal,
    });
    if (settled.error === undefined) return readOrRefuse(() => readETag(settled.answer.headers.get("etag") ?? ""));
    if (ifMatch === undefined) throw settled.error;
    // The runtime may have repeated it, too.
    const isUncertain = settled.isUncertain || isRefusal(settled.error, "condition");
    return await this.#findDone(
      { ...settled, isUncertain },
      key,
      signal,
      ({ metadata }) => metadata["ftpsd-put"] === mark["ftpsd-put"],
    );
  }

  async copy(from: string, to: string, options: CopyOptions): Promise<string> {
    const { etag, metadata, signal } = options;
    const headers = {
      ...this.#copyHeaders(from, etag),
      ...metadata !== undefined && { "x-amz-metadata-directive": "REPLACE", ...metadataHeaders(metadata) },
      ...conditionHeaders(options),
    };
    const doing = `copy ${quote(from)} to ${quote(to)}`;
    const settled = await this.#requests.send({ method: "PUT", key: to, headers, doing, isWork: true, signal });
    if (settled.error === undefined) {
      const copied = await readCopy(settled.answer, "CopyObjectResult");
      // Most stores leave a copy its ETag.
      if (copied !== readETag(etag)) await this.#assertUnchanged(from, etag, signal);
      return copied;
    }
    const error = await this.#refineCopy(settled, from, options);
    // The same content is there: whoever has put it, it is what was wanted.
    return await this.#findDone({ ...settled, error }, to, signal, (info) => info.etag === readETag(etag));
  }

  async remove(keys: readonly string[], options: CallOptions): Promise<void> {
    await removeAll(this.#requests, keys, options.signal);
  }

  async beginUpload(key: string, options: Omit<PutOptions, "ifMatch">): Promise<string> {
    const headers = metadataHeaders(options.metadata ?? {});
    const doing = `begin an upload of ${quote(key)}`;
    const query = { uploads: "" };
    const { text } = await this.#requests.request({
      method: "POST",
      key,
      query,
      headers,
      doing,
      signal: options.signal,
    });
    const answer = await parseAnswer(text, "InitiateMultipartUploadResult");
    return readOrRefuse(() => answer.text("UploadId"));
  }

  async uploadPart(upload: UploadName, number: number, body: Body, options: CallOptions): Promise<string> {
    const { key } = upload;
    const doing = `put part ${number} of ${quote(key)}`;
    const query = partQuery(upload, number);
    const answer = await this.#requests.request({ method: "PUT", key, query, body, doing, signal: options.signal });
    return readOrRefuse(() => readETag(answer.headers.get("etag") ?? ""));
  }

  async copyPart(
    upload: UploadName,
    number: number,
    source: { readonly key: string; readonly etag: string; readonly from: number; readonly to: number },
    options: CallOptions,
  ): Promise<string> {
    const { signal } = options;
    const headers = {
      ...this.#copyHeaders(source.key, source.etag),
      "x-amz-copy-source-range": `bytes=${source.from}-${source.to - 1}`,
    };
    const { key } = upload;
    const doing = `copy a part of ${quote(source.key)} to ${quote(key)}`;
    const query = partQuery(upload, number);
    const settled = await this.#requests.send({ method: "PUT", key, query, headers, doing, isWork: true, signal });
    if (settled.error === undefined) {
      await this.#assertUnchanged(source.key, source.etag, signal); // Ceph copies parts of whatever is there
      return await readCopy(settled.answer, "CopyPartResult");
    }
    throw await this.#refineCopy(settled, source.key, { etag: source.etag, signal });
  }

  async completeUpload(
    upload: UploadName,
    parts: readonly UploadedPart[],
    options: CompleteOptions,
  ): Promise<string> {
    const { key, uploadId } = upload;
    const { onProgress, signal } = options;
    const settled = await this.#requests.send({
      method: "POST",
      key,
      query: { uploadId },
      headers: { "content-type": "application/xml", ...conditionHeaders(options) },
      body: writeParts(parts),
      doing: `complete the upload of ${quote(key)}`,
      isWork: true,
      onProgress,
      signal,
    });
    if (settled.error === undefined) {
      const answer = await parseAnswer(settled.answer.text, "CompleteMultipartUploadResult");
      // Ceph up to Pacific leaves the ETag empty.
      const etag = answer.find("ETag") || etagOfParts(parts);
      if (etag !== undefined) return readOrRefuse(() => readETag(etag));
      const error = new FileSystemError("unavailable", `Cannot learn which version of ${quote(key)} was made`);
      return await this.#findDone(
        { error, isUncertain: true },
        key,
        signal,
        (info) => isObjectOf(info, parts, options),
      );
    }
    // An upload that is gone may have been completed by a request whose answer never came, also one of a process before.
    const isUncertain = settled.isUncertain || isRefusal(settled.error, "missing");
    return await this.#findDone({ ...settled, isUncertain }, key, signal, (info) => isObjectOf(info, parts, options));
  }

  async abortUpload(upload: UploadName, options: CallOptions): Promise<void> {
    const { key, uploadId } = upload;
    const doing = `give up an upload of ${quote(key)}`;
    const settled = await this.#requests.send({ method: "DELETE", key, query: { uploadId }, doing, ...options });
    if (settled.error !== undefined && !isRefusal(settled.error, "missing")) throw settled.error;
  }

  async listParts(upload: UploadName, options: CallOptions): Promise<readonly UploadedPart[]> {
    return await listParts(this.#requests, upload, options);
  }

  async listUploads(
    options: CallOptions & { readonly prefix: string; readonly next?: UploadsPage["next"] },
  ): Promise<UploadsPage> {
    return await listUploads(this.#requests, options);
  }

  /** Ends what is under way, waits for it, and closes all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#probing.abort(new FileSystemError("unavailable", "The store has been closed"));
    await this.#requests[Symbol.asyncDispose]();
    await this.#probe?.abilities;
  }

  /**
   * Returns the ETag of what a request has made whose answer was lost.
   *
   * @throws The error of the request, when it has not, or that cannot be known.
   */
  async #findDone(
    failed: Exclude<Settled<TextAnswer>, { error?: undefined }>,
    key: string,
    signal: AbortSignal,
    isOurs: (info: ObjectInfo) => boolean,
  ): Promise<string> {
    const { error, isUncertain } = failed;
    if (!isUncertain) throw error;
    const info = await this.head(key, { signal }).catch(() => undefined);
    signal.throwIfAborted();
    if (info === undefined || !isOurs(info)) throw error;
    return info.etag;
  }

  /** Ceph knows the condition by another name. */
  #copyHeaders(from: string, etag: string): Record<string, string> {
    return {
      "x-amz-copy-source": this.#address.copySource(from),
      "x-amz-copy-source-if-match": etag,
      "x-amz-copy-if-match": etag,
    };
  }

  /** Refuses as `changed` what was copied from another version. */
  async #assertUnchanged(key: string, etag: string, signal: AbortSignal): Promise<void> {
    if ((await this.head(key, { signal }))?.etag === readETag(etag)) return;
    throw new StoreRefusal("changed", `Cannot copy ${quote(key)}: it is another version now`);
  }

  /** Stores say "precondition failed" for the source as for the place of a copy. */
  async #refineCopy(
    failed: Exclude<Settled<TextAnswer>, { error?: undefined }>,
    from: string,
    options: CopyOptions,
  ): Promise<StoreRefusal | FileSystemError> {
    const { error, refusal } = failed;
    if (!isRefusal(error, "condition")) return error;
    const changed = new StoreRefusal("changed", error.message);
    if (options.ifMatch === undefined || refusal?.condition.toLowerCase().includes("copy-source")) return changed;
    const source = await this.head(from, options);
    return source?.etag === readETag(options.etag) ? error : changed;
  }
}

const NO_ABILITIES: StoreAbilities = { conditions: { put: false, copy: false, complete: false } };

function isRefusal(error: Error, kind: StoreRefusal["kind"]): error is StoreRefusal {
  return error instanceof StoreRefusal && error.kind === kind;
}

async function readCopy(answer: TextAnswer, root: string): Promise<string> {
  const element = await parseAnswer(answer.text, root);
  return readOrRefuse(() => readETag(element.text("ETag")));
}

function partQuery(upload: UploadName, number: number): Record<string, string> {
  return { partNumber: String(number), uploadId: upload.uploadId };
}

function metadataHeaders(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]));
}

/** Ceph compares the ETag byte by byte with one that has no quotes; others do not mind. */
function conditionHeaders({ ifMatch }: PutCondition): Record<string, string> {
  if (ifMatch === undefined) return {};
  return ifMatch === "nothing" ? { "if-none-match": "*" } : { "if-match": ifMatch.etag.replaceAll('"', "") };
}

function quote(key: string): string {
  return JSON.stringify(key);
}
