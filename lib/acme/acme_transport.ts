/**
 * Requests to a CA over HTTPS: each with a deadline, no redirects, and no more read of an answer than a CA has to say.
 *
 * @module
 */

import { Watchdog } from "../deadline.ts";
import { describeThrown } from "../thrown.ts";
import { AcmeError, isObject, printable, problemError, readProblem } from "./acme_error.ts";

/** An answer of a CA. */
export interface AcmeAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** How a CA is reached. */
export interface AcmeTransportOptions {
  /** Authorities in PEM that its certificate may lead up to, beside those that Deno trusts. */
  readonly ca?: string | undefined;
  /** Longest time of a request, in milliseconds. @default {30_000} */
  readonly timeoutMs?: number;
  /** Name of this program for the CA. @default {"ftpsd"} */
  readonly userAgent?: string;
}

/** A request. */
export interface AcmeRequest {
  readonly method: "GET" | "HEAD" | "POST";
  readonly url: string;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** More than the longest chain of certificates has. */
const MAX_ANSWER_BYTES = 256 * 1024;
/** Longest wait that a CA can ask for, in milliseconds: a week, as Let's Encrypt does for too many equal certificates. */
const MAX_RETRY_AFTER_MS = 7 * 86_400_000;

/** Asks a CA. */
export class AcmeTransport implements Disposable {
  readonly #client: Deno.HttpClient;
  readonly #options: AcmeTransportOptions;

  constructor(options: AcmeTransportOptions = {}) {
    this.#options = options;
    this.#client = Deno.createHttpClient({ ...options.ca !== undefined && { caCerts: [options.ca] }, http2: false });
  }

  /**
   * Makes a request.
   *
   * @returns What the CA has answered, also where it refuses.
   * @throws {AcmeError} When it does not answer, not over HTTPS, or with what is none.
   * @throws The reason of the signal.
   */
  async send({ method, url, body, signal }: AcmeRequest): Promise<AcmeAnswer> {
    requireHttps(url);
    const { timeoutMs = 30_000, userAgent = "ftpsd" } = this.#options;
    const late = new AbortController();
    using _deadline = new Watchdog(timeoutMs, () => late.abort());
    try {
      const response = await fetch(url, {
        method,
        headers: {
          "user-agent": userAgent,
          "accept-language": "en",
          ...body !== undefined && { "content-type": "application/jose+json" },
        },
        ...body !== undefined && { body },
        redirect: "manual",
        client: this.#client,
        signal: AbortSignal.any([signal, late.signal]),
      });
      const { status, headers } = response;
      return { status, headers, text: await readText(response.body) };
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof AcmeError) throw cause;
      throw unreachable(url, late.signal.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(cause), cause);
    }
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function requireHttps(url: string): void {
  if (URL.parse(url)?.protocol === "https:") return;
  throw new AcmeError("badAnswer", `the CA names what is no address of HTTPS: ${printable(url)}`);
}

async function readText(body: ReadableStream<Uint8Array<ArrayBuffer>> | null): Promise<string> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new AcmeError("badAnswer", "the CA answers at endless length");
    chunks.push(chunk);
  }
  return await new Blob(chunks).text();
}

function unreachable(url: string, reason: string, cause: unknown): AcmeError {
  const kind = cause instanceof Deno.errors.NotCapable ? "local" : "unreachable";
  return new AcmeError(kind, `no answer of ${URL.parse(url)?.host ?? "the CA"}: ${reason}`, { cause });
}

/** What the runtime says, without the address, which is in front of it. */
function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) return error.message.replace(/, run again.*$/, "");
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return printable(describeThrown(cause).replace(/^\w*Error: /, "").replace(/^error sending request.*?(?:: |$)/, "")) ||
    "no connection";
}

/** Makes an error of an answer that is no success. */
export function refusal({ status, headers, text }: AcmeAnswer): AcmeError {
  const retryAfterMs = parseRetryAfter(headers.get("retry-after"), Date.now());
  const given = parseJson(text);
  if (isObject(given) && typeof given.type === "string") {
    return problemError(readProblem(given), { status, retryAfterMs });
  }
  const isBusy = status === 429 || status === 503 && retryAfterMs !== undefined;
  const kind = isBusy ? "rateLimited" : status >= 500 ? "unreachable" : "badAnswer";
  return new AcmeError(kind, `the CA answers with status ${status}`, { retryAfterMs });
}

/** Reads JSON; `undefined` for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds, or a date (RFC 9110 §10.2.3), as milliseconds from now, a week at most; `undefined` for anything else. */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d{1,10}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
