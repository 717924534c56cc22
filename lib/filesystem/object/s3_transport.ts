/**
 * One HTTP request to a store, and its answer.
 *
 * What only reads is done by `fetch`, for which downloads cost half. What changes something is sent by `node:http`, which holds a third
 * of the memory for the bytes of parts. Connections of both are kept for the next request. No redirect is followed: a signature
 * holds for one host only.
 *
 * Deno's `fetch` and `node:http` send a request again by themselves when a connection that was kept is cut before the answer, even
 * if the store has got it. For what only reads that does no harm; for the rest it is prevented: whoever repeats it has to know.
 *
 * @module
 */

import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { Watchdog } from "../../deadline.ts";
import type { Body } from "./object_store.ts";

/** A request as it is sent. */
export interface StoreRequest {
  readonly method: string;
  readonly url: URL;
  /** With the signature. */
  readonly headers: Headers;
  readonly body?: Body | string | undefined;
  /** Milliseconds after which a request fails that has not moved. */
  readonly stallMs: number;
  /** Whether the store works long, and sends spaces meanwhile; otherwise all of the answer has to come in that time. */
  readonly isWork?: true | undefined;
  readonly signal: AbortSignal;
}

/** The head of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
}

/** An answer that was read. */
export interface TextAnswer extends AnswerHead {
  readonly text: string;
}

/** An answer whose body is still to come. */
export interface StreamAnswer extends TextAnswer {
  /** Cancelled by whoever has it, or read to its end. Absent when the answer does not say success: then `text` is the body. */
  readonly body?: ReadableStream<Uint8Array>;
}

/** No answer, or half of one: nobody knows whether the request was carried out. */
export class TransportError extends Error {
  override readonly name = "TransportError";
}

/** Longest answer that is kept as text. The longest there is lists 1,000 keys of 1,024 bytes, six characters for each. */
const MAX_ANSWER_BYTES = 8 * 1_048_576;

/** How long a connection is kept without use; stores close theirs after 20 s and more. */
const KEEP_IDLE_MS = 15_000;

/** How many bytes are given to the socket at once. */
const WRITE_BYTES = 262_144;

/** Which store, and how many connections may be kept for it. */
export interface TransportOptions {
  readonly isClear: boolean;
  /** Certificates in PEM form that are trusted beside the host's own. */
  readonly ca?: string | undefined;
  readonly maxIdle: number;
}

/** The connections to a store. Close it when all requests have ended. */
export class StoreTransport implements Disposable {
  readonly #client: Deno.HttpClient;
  readonly #agent: http.Agent;
  readonly #request: typeof http.request;

  /** Makes no connection yet. */
  constructor(options: TransportOptions) {
    const { isClear, ca, maxIdle } = options;
    this.#client = Deno.createHttpClient({
      ...ca !== undefined && { caCerts: [ca] },
      poolMaxIdlePerHost: maxIdle,
      poolIdleTimeout: KEEP_IDLE_MS,
      http2: false, // in one connection a download that nobody reads would stop the others
    });
    const agent = { keepAlive: true, maxFreeSockets: maxIdle, timeout: KEEP_IDLE_MS };
    this.#agent = isClear ? new http.Agent(agent) : new https.Agent({ ...agent, ...ca !== undefined && { ca } });
    this.#request = isClear ? http.request : https.request;
  }

  /**
   * Sends a request, and reads the answer to its end.
   *
   * @throws {TransportError} When there is no whole answer.
   * @throws The reason of the signal when it aborts.
   */
  async exchange(request: StoreRequest): Promise<TextAnswer> {
    using attempt = new Attempt(request);
    return await attempt.run(() => {
      const isReading = request.method === "GET" || request.method === "HEAD";
      return isReading ? this.#exchangeByFetch(request, attempt) : this.#exchangeByNode(request, attempt);
    });
  }

  /**
   * Sends a request, and returns the answer as soon as its head has come. The signal rules its body, too, and should not live
   * longer; stalls of the body are the caller's concern.
   *
   * @throws As {@linkcode exchange} does.
   */
  async open(request: StoreRequest): Promise<StreamAnswer> {
    const attempt = new Attempt(request);
    const answer = await attempt.run(async () => {
      const { status, headers, body } = await this.#fetch(request, attempt.signal);
      if (status < 300 && body !== null) return { status, headers, text: "", body };
      return { status, headers, text: await readText(body, () => {}) };
    });
    attempt.unwatch();
    return answer;
  }

  [Symbol.dispose](): void {
    this.#client.close();
    this.#agent.destroy();
  }

  #fetch(request: StoreRequest, signal: AbortSignal): Promise<Response> {
    const { method, url } = request;
    const headers = new Headers(request.headers);
    headers.set("accept-encoding", "identity"); // or `fetch` unpacks what somebody has stored packed
    return fetch(url, { method, headers, redirect: "manual", client: this.#client, signal });
  }

  async #exchangeByFetch(request: StoreRequest, { signal }: Attempt): Promise<TextAnswer> {
    const { status, headers, body } = await this.#fetch(request, signal);
    return { status, headers, text: await readText(body, () => {}) };
  }

  async #exchangeByNode(request: StoreRequest, { signal, watch }: Attempt): Promise<TextAnswer> {
    const { method, url, headers, isWork } = request;
    const body = typeof request.body === "string" ? [new TextEncoder().encode(request.body)] : request.body ?? [];
    const sent = this.#request(url, {
      method,
      agent: this.#agent,
      headers: { ...Object.fromEntries(headers), host: url.host, "content-length": String(byteLength(body)) },
    });
    sent.once("socket", () => sent.reusedSocket = false); // or it would be sent again
    const abort = () => sent.destroy(new TransportError("The request was given up"));
    signal.addEventListener("abort", abort, { once: true });
    try {
      const answered = answerOf(sent);
      const written = writeBody(sent, body, watch);
      const answer = await Promise.race([answered, written.then(() => answered)]);
      const text = await readText(answer, () => isWork && watch.touch());
      if (!answer.complete) throw new TransportError("The connection was closed in the middle of an answer");
      // An answer that came before all of the body: the rest of it is not wanted.
      if (!sent.writableFinished) sent.destroy();
      await written.catch(() => {});
      return { status: answer.statusCode ?? 0, headers: toHeaders(answer), text };
    } catch (error) {
      sent.destroy();
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }
}

/** A request that is under way: ends by the caller's signal, or when it does not move. */
class Attempt implements Disposable {
  readonly watch: Watchdog;
  readonly #controller = new AbortController();
  readonly #caller: AbortSignal;
  readonly #abort = () => this.#controller.abort(this.#caller.reason);

  constructor({ signal, stallMs }: StoreRequest) {
    signal.throwIfAborted();
    this.#caller = signal;
    signal.addEventListener("abort", this.#abort, { once: true });
    this.watch = new Watchdog(stallMs, () => {
      this.#controller.abort(new TransportError(`The store has not answered for ${stallMs} ms`));
    });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whatever goes wrong is a {@linkcode TransportError}, unless the caller wanted it; then all is over. */
  async run<Answer>(send: () => Promise<Answer>): Promise<Answer> {
    try {
      return await send();
    } catch (error) {
      this[Symbol.dispose]();
      this.#caller.throwIfAborted();
      this.signal.throwIfAborted();
      if (error instanceof TransportError) throw error;
      throw new TransportError("The connection failed", { cause: error });
    }
  }

  /** Leaves the request to the caller's signal. */
  unwatch(): void {
    this.watch[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.unwatch();
    this.#caller.removeEventListener("abort", this.#abort);
  }
}

/** Reads an answer, up to a bound. */
async function readText(body: AsyncIterable<Uint8Array> | null, onBytes: () => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new TransportError(`An answer of more than ${MAX_ANSWER_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
    onBytes();
  }
  return text + decoder.decode();
}

/** Resolves with the answer; an error after that is known to whoever reads it. */
function answerOf(sent: http.ClientRequest): Promise<http.IncomingMessage> {
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    sent.once("response", resolve);
    sent.on("error", reject);
    sent.once("close", () => reject(new TransportError("The connection was closed without an answer")));
  });
  answered.catch(() => {}); // while the body is being written nobody waits for it
  return answered;
}

/** Rejects, or ends, when the connection is closed. */
async function writeBody(sent: http.ClientRequest, body: Body, watch: Watchdog): Promise<void> {
  for (const block of body) {
    for (let at = 0; at < block.length; at += WRITE_BYTES) {
      if (sent.destroyed) return;
      if (!sent.write(block.subarray(at, at + WRITE_BYTES))) await drained(sent);
      watch.touch();
    }
  }
  if (!sent.destroyed) sent.end();
}

async function drained(sent: http.ClientRequest): Promise<void> {
  using closed = new ClosedSignal(sent);
  await once(sent, "drain", { signal: closed.signal }).catch(() => {});
}

/** Aborts when the request is closed. */
class ClosedSignal implements Disposable {
  readonly #controller = new AbortController();
  readonly #sent: http.ClientRequest;
  readonly #onClose = () => this.#controller.abort();

  constructor(sent: http.ClientRequest) {
    this.#sent = sent;
    sent.once("close", this.#onClose);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    this.#sent.off("close", this.#onClose);
  }
}

function toHeaders(answer: http.IncomingMessage): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(answer.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  return headers;
}

function byteLength(body: Body): number {
  return body.reduce((sum, block) => sum + block.length, 0);
}
