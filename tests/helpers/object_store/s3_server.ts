/**
 * A store with S3's interface in this process, for tests: the operations that the server needs, as strict about signatures, headers
 * and lengths as the store of AWS, and with the conditions that other stores lack. It counts what it is asked for, and keeps a
 * journal of what was visible.
 *
 * @module
 */

import { type JournalEntry, S3Bucket, type StoredObject, type StoredUpload } from "./s3_bucket.ts";
import { bucketLocation, deleteObjects, headBucket, listObjects } from "./s3_bucket_handlers.ts";
import { S3Error } from "./s3_error.ts";
import { type S3Call, type S3Handler, type S3Limits, xmlResponse } from "./s3_handler.ts";
import { copyObject, deleteObject, getObject, putObject } from "./s3_object_handlers.ts";
import { operationOf, type S3Operation } from "./s3_operations.ts";
import { drain, joinBytes, readPayload } from "./s3_payload.ts";
import { parseRequest, type S3Request } from "./s3_request.ts";
import { checkSignature, type S3Credentials, TEST_CREDENTIALS } from "./s3_signature.ts";
import {
  abortUpload,
  completeUpload,
  createUpload,
  listParts,
  listUploads,
  uploadPart,
  uploadPartCopy,
} from "./s3_upload_handlers.ts";
import { element } from "./s3_xml.ts";

/** What the operations of a kind have cost. */
export interface OperationCost {
  /** Requests, those that were refused too. */
  readonly requests: number;
  /** Bytes of bodies that came. */
  readonly bytesIn: number;
  /** Bytes of objects that were to be sent. */
  readonly bytesOut: number;
}

/** What is told of a request before it has an effect. */
export interface S3RequestInfo {
  readonly operation: S3Operation;
  readonly bucket: string;
  readonly key: string;
}

/** How the store is made. */
export interface S3ServerOptions extends Partial<S3Limits> {
  /** @default {["files"]} */
  readonly buckets?: readonly string[];
  /** Keep only sizes and ETags of bodies; what is read of them is zeros. @default {false} */
  readonly discardBodies?: boolean;
  /** Certificate and key in PEM. Absent: without TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** @default {TEST_CREDENTIALS} */
  readonly credentials?: S3Credentials;
  /** Time of the store in milliseconds since 1970. @default {Date.now} */
  readonly now?: () => number;
  /** Awaited when the body of a request has come and before it has an effect; a rejection is the answer. */
  readonly beforeEffect?: (request: S3RequestInfo) => void | Promise<void>;
  /** @default {0} */
  readonly port?: number;
}

const HOST = "127.0.0.1";
const MIN_PART_BYTES = 5 * 2 ** 20;
const ALL_CONDITIONS = { complete: true, copy: true, delete: true, put: true };

const HANDLERS: Readonly<Record<Exclude<S3Operation, "CreateBucket" | "ListBuckets">, S3Handler>> = {
  AbortMultipartUpload: abortUpload,
  CompleteMultipartUpload: completeUpload,
  CopyObject: copyObject,
  CreateMultipartUpload: createUpload,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  GetBucketLocation: bucketLocation,
  GetObject: getObject,
  HeadBucket: headBucket,
  HeadObject: getObject,
  ListMultipartUploads: listUploads,
  ListObjectsV2: listObjects,
  ListParts: listParts,
  PutObject: putObject,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
};

/** A store that listens on the loopback interface until it is disposed of. */
export class S3Server implements AsyncDisposable {
  readonly #options: S3ServerOptions;
  readonly #limits: S3Limits;
  readonly #buckets: Map<string, S3Bucket>;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #stop = new AbortController();
  #costs = new Map<S3Operation, OperationCost>();
  /** Who may use it; changes count from the next request on. */
  credentials: S3Credentials;

  /** Starts to listen. */
  constructor(options: S3ServerOptions = {}) {
    this.#options = options;
    this.#limits = { minPartBytes: MIN_PART_BYTES, conditions: ALL_CONDITIONS, takesQuotes: true, ...options };
    this.#buckets = new Map((options.buckets ?? ["files"]).map((name) => [name, new S3Bucket()]));
    this.credentials = options.credentials ?? TEST_CREDENTIALS;
    const { tls, port = 0 } = options;
    this.#server = Deno.serve(
      { hostname: HOST, port, signal: this.#stop.signal, onListen: () => undefined, onError: internalError, ...tls },
      async (request) => {
        const response = await this.#answer(request);
        response.headers.set("date", this.#now().toUTCString());
        return response;
      },
    );
  }

  /** Port that it listens on. */
  get port(): number {
    return this.#server.addr.port;
  }

  /** URL without a slash at the end. */
  get endpoint(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://${HOST}:${this.port}`;
  }

  /** What is visible in a bucket. */
  objects(bucket = "files"): ReadonlyMap<string, StoredObject> {
    return this.#bucket(bucket).objects;
  }

  /** Bytes of an object; throws when there is none, or when bodies are discarded. */
  bytes(key: string, bucket = "files"): Uint8Array<ArrayBuffer> {
    const object = this.#bucket(bucket).object(key);
    if (object.pieces === undefined) throw new TypeError(`Cannot read "${key}": its bytes were not kept`);
    return joinBytes(object);
  }

  /** Uploads that have not ended. */
  uploads(bucket = "files"): readonly StoredUpload[] {
    return this.#bucket(bucket).uploads;
  }

  /** Every change of what is visible, the oldest first. */
  journal(bucket = "files"): readonly JournalEntry[] {
    return this.#bucket(bucket).journal;
  }

  /** Puts an object of zeros or of some bytes there without a request. */
  plant(key: string, content: Uint8Array | number, bucket = "files"): void {
    const bytes = typeof content === "number" ? { size: content } : { size: content.length, pieces: [content] };
    this.#bucket(bucket).put("PutObject", key, {
      ...bytes,
      etag: `"${crypto.randomUUID().replaceAll("-", "")}"`,
      modified: this.#now(),
      metadata: {},
      contentType: "binary/octet-stream",
    });
  }

  /** Makes an empty bucket, in place of the one of that name if there is one. */
  addBucket(name: string): void {
    this.#buckets.set(name, new S3Bucket());
  }

  /** Removes a bucket with all that is in it. */
  removeBucket(name: string): void {
    this.#buckets.delete(name);
  }

  /** What was asked for since it was last taken; begins to count anew. */
  takeCosts(): ReadonlyMap<S3Operation, OperationCost> {
    const costs = this.#costs;
    this.#costs = new Map();
    return costs;
  }

  /** Cuts all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }

  #now(): Date {
    return new Date(this.#options.now?.() ?? Date.now());
  }

  #bucket(name: string): S3Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) throw new S3Error("NoSuchBucket", "The specified bucket does not exist");
    return bucket;
  }

  async #answer(request: Request): Promise<Response> {
    try {
      const parsed = parseRequest(request);
      const operation = operationOf(parsed);
      this.#count(operation, { requests: 1 });
      checkSignature(parsed, this.credentials, this.#now().getTime());
      const response = await this.#perform(operation, parsed);
      const isObject = operation === "GetObject" && response.ok;
      if (isObject) this.#count(operation, { bytesOut: Number(response.headers.get("content-length")) });
      return response;
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      await drain(request.body);
      const body = request.method === "HEAD" ? null : error.toXml();
      return new Response(body, { status: error.status, headers: { "content-type": "application/xml" } });
    }
  }

  async #perform(operation: S3Operation, request: S3Request): Promise<Response> {
    if (operation === "ListBuckets") return this.#listBuckets();
    if (operation !== "CreateBucket") this.#bucket(request.bucket);
    const isData = operation === "PutObject" || operation === "UploadPart";
    const payload = await readPayload(request.body, request.headers, {
      discard: isData && this.#options.discardBodies === true,
      onBytes: (count) => this.#count(operation, { bytesIn: count }),
    });
    await this.#options.beforeEffect?.({ operation, bucket: request.bucket, key: request.key });
    if (operation === "CreateBucket") return this.#createBucket(request.bucket);
    const call: S3Call = {
      request,
      bucketName: request.bucket,
      bucket: this.#bucket(request.bucket),
      payload,
      now: this.#now(),
      limits: this.#limits,
      findBucket: (name) => this.#bucket(name),
    };
    return HANDLERS[operation](call);
  }

  #createBucket(name: string): Response {
    if (this.#buckets.has(name)) throw new S3Error("BucketAlreadyOwnedByYou", "The bucket is yours already");
    this.addBucket(name);
    return new Response(null, { headers: { location: `/${name}` } });
  }

  #listBuckets(): Response {
    const time = element("CreationDate", new Date(0).toISOString());
    const buckets = [...this.#buckets.keys()].map((name) => `<Bucket>${element("Name", name)}${time}</Bucket>`).join(
      "",
    );
    return xmlResponse("ListAllMyBucketsResult", `<Buckets>${buckets}</Buckets>`);
  }

  #count(operation: S3Operation, { requests = 0, bytesIn = 0, bytesOut = 0 }: Partial<OperationCost>): void {
    const cost = this.#costs.get(operation) ?? { requests: 0, bytesIn: 0, bytesOut: 0 };
    this.#costs.set(operation, {
      requests: cost.requests + requests,
      bytesIn: cost.bytesIn + bytesIn,
      bytesOut: cost.bytesOut + bytesOut,
    });
  }
}

/** What a client that went away in the middle leaves behind ends here, too, with nobody to read it. */
function internalError(): Response {
  const error = new S3Error("InternalError", "We encountered an internal error. Please try again.");
  return new Response(error.toXml(), { status: error.status });
}
