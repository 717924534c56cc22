/**
 * Requests to a store with S3's interface: signed, sent, and repeated while that may help.
 *
 * The SHA-256 of each body is part of its signature, over TLS as well. Every store checks it, whatever its ETags mean (with keys of
 * a KMS, or on some stores, they are no MD5); it finds what goes wrong behind a proxy that ends TLS; and a request that was given
 * up cannot be completed by what comes into its buffers later. On processors that have instructions for it, it costs a third of
 * an MD5: 0.7 s for a GiB.
 *
 * The signature is made by `aws4fetch`, which needs no permission, and is loaded with the first request.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { abortable, delay, yieldToEventLoop } from "../../deadline.ts";
import type { CallOutcome } from "../../meter.ts";
import type { Trace } from "../../tracing.ts";
import { FileSystemError } from "../filesystem.ts";
import { FairSlots } from "./fair_slots.ts";
import type { Body, StoreRefusal } from "./object_store.ts";
import { type ErrorAnswer, isErrorBody, parseError } from "./s3_answers.ts";
import { type BucketAddress, checkKey } from "./s3_address.ts";
import type { CredentialSource, StoreCredentials } from "./s3_credentials.ts";
import { Repetition } from "./s3_repetition.ts";
import { isAboutCredentials, isAboutTime, isPassing, toError, toUnanswered } from "./s3_errors.ts";
import {
  type StoreRequest,
  StoreTransport,
  type StreamAnswer,
  type TextAnswer,
  TransportError,
} from "./s3_transport.ts";

/** How long things may take, in milliseconds. */
export interface StoreTimeouts {
  /** An answer, or the next bytes of one; also a body that does not move. @default {30000} */
  readonly answerMs?: number;
  /** What a store copies, or puts together, before it answers. @default {300000} */
  readonly workMs?: number;
  /** No request is repeated later than this. @default {60000} */
  readonly retryMs?: number;
}

/** Which store, and how it is asked. */
export interface RequestsOptions {
  readonly address: BucketAddress;
  readonly region: string;
  readonly credentials: CredentialSource;
  readonly ca?: string | undefined;
  readonly timeouts?: StoreTimeouts | undefined;
  /** Most requests at once that have not been answered. */
  readonly maxConnections: number;
  /** How often a request is tried. */
  readonly maxAttempts: number;
  /** Longest wait before the second attempt; each one later has twice of it. */
  readonly backoffMs: number;
  readonly now: () => number;
  /** Told how long each attempt took to its answer; absent: nobody wants to know. Must not throw. */
  readonly onRequest?: OnRequest | undefined;
  /** Does requests in spans; absent: nobody follows them. */
  readonly trace?: Trace | undefined;
}

/** Told of an attempt of a request. */
export type OnRequest = (method: "DELETE" | "GET" | "HEAD" | "POST" | "PUT", outcome: CallOutcome) => void;

/** A request. */
export interface RequestPlan {
  readonly method: "DELETE" | "GET" | "HEAD" | "POST" | "PUT";
  /** Absent: the bucket. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body | string;
  /** What is tried, for the log: `put "a/b"`. */
  readonly doing: string;
  /** Whether the store works long before it answers, perhaps with an error after it has said success. */
  readonly isWork?: true;
  readonly onProgress?: (() => void) | undefined;
  readonly signal: AbortSignal;
}

/** How a request has ended. */
export type Settled<Answer> =
  | { readonly answer: Answer; readonly error?: undefined }
  | {
    readonly error: StoreRefusal | FileSystemError;
    /** What the store has said; absent when it has not answered. */
    readonly refusal?: ErrorAnswer | undefined;
    /** Whether an attempt may have been carried out, though the store has not said so. */
    readonly isUncertain: boolean;
  };

const PROGRESS_EVERY_MS = 1000;
/** What a request is signed with. */
interface Signing {
  /** SHA-256 of the body. */
  readonly payload: string;
  readonly credentials: StoreCredentials;
  /** What the clock of the store was taken to be ahead of ours. */
  readonly clockOffsetMs: number;
}

/** Difference of clocks in milliseconds that stores may refuse; they say 15 minutes. */
const MAX_SKEW_MS = 240_000;
/** Each day, and each new secret, has its own. */
const MAX_SIGNING_KEYS = 16;
/** Bytes that are hashed before others have their turn: under a millisecond. */
const HASH_BYTES = 1_048_576;

/** Sends requests. Owns the connections. */
export class StoreRequests implements AsyncDisposable {
  readonly #options: RequestsOptions;
  readonly #answerMs: number;
  readonly #workMs: number;
  readonly #retryMs: number;
  readonly #transport: StoreTransport;
  readonly #slots: FairSlots;
  readonly #running = new Map<AbortController, Promise<unknown>>();
  /** What ends the bodies that are being read. */
  readonly #open = new Set<AbortController>();
  /** Keys that were derived from the secret, one for each day. */
  readonly #signingKeys = new Map<string, ArrayBuffer>();
  /** What the clock of the store is ahead of ours. */
  #clockOffsetMs = 0;
  #isClosed = false;

  /** Makes no connection yet. */
  constructor(options: RequestsOptions) {
    const { answerMs = 30_000, workMs = 300_000, retryMs = 60_000 } = options.timeouts ?? {};
    this.#options = options;
    this.#answerMs = answerMs;
    this.#workMs = workMs;
    this.#retryMs = retryMs;
    this.#slots = new FairSlots(options.maxConnections);
    const { address, ca, maxConnections } = options;
    this.#transport = new StoreTransport({ isClear: address.isClear, ca, maxIdle: Math.min(maxConnections, 16) });
  }

  /** Milliseconds after which a body is given up whose bytes do not come. */
  get stallMs(): number {
    return this.#answerMs;
  }

  /**
   * Sends a request until it is answered for good, and returns the answer.
   *
   * @throws What the answer means, when it does not say success; or the reason of the signal.
   */
  async request(plan: RequestPlan): Promise<TextAnswer> {
    const settled = await this.send(plan);
    if (settled.error !== undefined) throw settled.error;
    return settled.answer;
  }

  /**
   * Sends a request until it is answered for good.
   *
   * @throws {FileSystemError} Kind `invalidName` for a key that no request can have.
   * @throws The reason of the signal when it aborts.
   */
  async send(plan: RequestPlan): Promise<Settled<TextAnswer>> {
    return await this.#owned(plan, async (signal) => {
      using _ticking = plan.isWork && plan.onProgress ? tick(plan.onProgress) : undefined;
      return await this.#repeat(plan, signal, async (request) => {
        const answer = await this.#transport.exchange(request);
        const isRefused = answer.status >= 300 || (plan.isWork !== undefined && isErrorBody(answer.text));
        return { answer, isRefused };
      });
    });
  }

  /**
   * Sends a request, and returns its answer when the head has come. The controller ends the request, and the body; it is aborted,
   * too, when the store is closed, until {@linkcode forget} is called.
   *
   * @throws As {@linkcode send} does.
   */
  async open(plan: Omit<RequestPlan, "signal">, controller: AbortController): Promise<Settled<StreamAnswer>> {
    const { signal } = controller;
    const settled = await this.#owned({ ...plan, signal }, (owned) => {
      owned.addEventListener("abort", () => controller.abort(owned.reason), { once: true });
      return this.#repeat({ ...plan, signal }, signal, async (request) => {
        const answer = await this.#transport.open(request);
        return { answer, isRefused: answer.status >= 300 };
      });
    });
    if (settled.error === undefined) this.#open.add(controller);
    return settled;
  }

  /** Says that a body has come to its end, or has been cancelled. */
  forget(controller: AbortController): void {
    this.#open.delete(controller);
  }

  /** What is under way is aborted, and waited for, when the store is closed. */
  async #owned<Value>(plan: RequestPlan, run: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const { key, signal } = plan;
    signal.throwIfAborted();
    if (this.#isClosed) throw closedError();
    if (key !== undefined) checkKey(key);
    const controller = new AbortController();
    const abort = () => controller.abort(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const running = run(controller.signal);
    this.#running.set(controller, running);
    try {
      return await running;
    } finally {
      this.#running.delete(controller);
      signal.removeEventListener("abort", abort);
    }
  }

  async #repeat<Answer extends TextAnswer>(
    plan: RequestPlan,
    signal: AbortSignal,
    exchange: (request: StoreRequest) => Promise<{ readonly answer: Answer; readonly isRefused: boolean }>,
  ): Promise<Settled<Answer>> {
    const payload = await hashBody(plan.body, signal);
    const { maxAttempts, backoffMs } = this.#options;
    const repetition = new Repetition({ maxAttempts, backoffMs, retryMs: this.#retryMs });
    let credentials = await this.#credentials(signal, { renew: false });
    while (true) {
      const clockOffsetMs = this.#clockOffsetMs;
      const signing = { payload, credentials, clockOffsetMs };
      const result = await this.#attempt(plan, signing, signal, exchange);
      if (result.error === undefined) return result;
      const { refusal, headers } = result;
      repetition.count(result.isUncertain);
      if (
        refusal !== undefined && isAboutTime(refusal) && repetition.mayAdjust() &&
        this.#adjustClock(headers, clockOffsetMs)
      ) {
        continue;
      }
      if (refusal !== undefined && isAboutCredentials(refusal) && repetition.mayRenew()) {
        const renewed = await this.#credentials(signal, { renew: true });
        const isOther = !isSame(renewed, credentials);
        credentials = renewed;
        if (isOther) continue;
      }
      const mayPass = refusal === undefined || isPassing(refusal);
      if (!mayPass || !repetition.mayRepeat()) return { ...result, isUncertain: repetition.isUncertain };
      await delay(repetition.backoffMs(headers), signal);
      credentials = await this.#credentials(signal, { renew: false });
    }
  }

  async #attempt<Answer extends TextAnswer>(
    plan: RequestPlan,
    signing: Signing,
    signal: AbortSignal,
    exchange: (request: StoreRequest) => Promise<{ readonly answer: Answer; readonly isRefused: boolean }>,
  ): Promise<Settled<Answer> & { readonly headers?: Headers }> {
    using _slot = await this.#slots.take(signal);
    const { method, body, doing, isWork } = plan;
    const { url, headers } = await this.#sign(plan, signing);
    const startedAt = performance.now();
    let hasFailed = true;
    try {
      const stallMs = isWork ? this.#workMs : this.#answerMs;
      const request = { method, url, headers, body, stallMs, isWork, signal };
      const { trace } = this.#options;
      const { answer, isRefused } = await (trace === undefined ? exchange(request) : trace(
        `store ${method}`,
        { "server.address": url.host },
        async (span) => {
          const exchanged = await exchange(request);
          span.set("http.response.status_code", exchanged.answer.status);
          return exchanged;
        },
      ));
      hasFailed = answer.status >= 500;
      if (!isRefused) return { answer };
      const refusal = withoutSecrets(await parseError(answer.status, answer.text), signing.credentials);
      const error = toError(refusal, doing, answer.headers);
      // An error behind a status that says success may have been sent by something in between.
      return { error, refusal, isUncertain: answer.status < 300 || answer.status >= 500, headers: answer.headers };
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      return { error: toUnanswered(error, doing), isUncertain: true };
    } finally {
      const seconds = (performance.now() - startedAt) / 1000;
      this.#options.onRequest?.(method, { seconds, hasFailed: hasFailed && !signal.aborted });
    }
  }

  async #sign(
    plan: RequestPlan,
    { payload, credentials, clockOffsetMs }: Signing,
  ): Promise<{ url: URL; headers: Headers }> {
    const { AwsV4Signer } = await import("aws4fetch");
    const { address, region, now } = this.#options;
    if (this.#signingKeys.size > MAX_SIGNING_KEYS) this.#signingKeys.clear();
    const signer = new AwsV4Signer({
      ...credentials,
      method: plan.method,
      url: address.url(plan.key, plan.query).href,
      headers: { ...plan.headers, "x-amz-content-sha256": payload },
      service: "s3",
      region,
      cache: this.#signingKeys,
      datetime: new Date(now() + clockOffsetMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
    });
    return await signer.sign();
  }

  async #credentials(signal: AbortSignal, options: { readonly renew: boolean }): Promise<StoreCredentials> {
    return await abortable(this.#options.credentials(options), signal);
  }

  /** Takes over the clock of the store; returns whether it was another one than that of the refused request. */
  #adjustClock(headers: Headers | undefined, clockOffsetMs: number): boolean {
    const theirs = Date.parse(headers?.get("date") ?? "");
    if (Number.isNaN(theirs)) return false;
    const { now } = this.#options;
    const isOther = Math.abs(theirs - now() - clockOffsetMs) > MAX_SKEW_MS;
    if (isOther) this.#clockOffsetMs = theirs - now();
    return isOther;
  }

  /** Aborts what is under way, waits until it has ended, and closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const controller of [...this.#running.keys(), ...this.#open]) controller.abort(closedError());
    await Promise.allSettled(this.#running.values());
    this.#transport[Symbol.dispose]();
  }
}

/** Calls back each second until it is disposed of. */
function tick(callback: () => void): Disposable {
  const timer = setInterval(callback, PROGRESS_EVERY_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

async function hashBody(body: Body | string | undefined, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  if (typeof body === "string") hash.update(body);
  let hashed = 0;
  for (const block of typeof body === "object" ? body : []) {
    for (let at = 0; at < block.length; at += HASH_BYTES) hash.update(block.subarray(at, at + HASH_BYTES));
    hashed += block.length;
    if (hashed >= HASH_BYTES) {
      hashed = 0;
      await yieldToEventLoop();
      signal.throwIfAborted();
    }
  }
  return hash.digest("hex");
}

function isSame(one: StoreCredentials, other: StoreCredentials): boolean {
  return one.accessKeyId === other.accessKeyId && one.secretAccessKey === other.secretAccessKey &&
    one.sessionToken === other.sessionToken;
}

/** What a store says goes to the log; it knows the key's name and the token. */
function withoutSecrets(answer: ErrorAnswer, credentials: StoreCredentials): ErrorAnswer {
  const hide = (text: string) => {
    return Object.values(credentials).reduce((rest: string, secret: string) => rest.replaceAll(secret, "***"), text);
  };
  return { ...answer, code: hide(answer.code), message: hide(answer.message) };
}

function closedError(): FileSystemError {
  return new FileSystemError("unavailable", "The store has been closed");
}
