/**
 * Who is told of events: one attempt at one message.
 *
 * Nothing of an answer is believed but its status and `Retry-After`. No redirect is followed, and what comes as a body is read only
 * as far as it must be for the connection to be used again.
 *
 * @module
 */

import { abortable } from "../deadline.ts";
import type { HookMessage } from "../state/hook_queue.ts";
import { describeThrown } from "../thrown.ts";
import { keyOf, signedHeaders } from "./hook_message.ts";

/** A hook as the configuration has it. */
export interface HookSettings {
  readonly url: string;
  readonly tokenFile: string;
  /** Longest time of an attempt, in seconds. */
  readonly timeout: number;
}

/** How an attempt has ended. */
export type HookOutcome =
  | { readonly kind: "delivered" }
  /** It has answered something else than 2xx, or not in time. */
  | { readonly kind: "refused"; readonly reason: string; readonly retryAfterMs?: number; readonly isBusy: boolean }
  /** Nobody was reached, or the token cannot be read, which is the same for all messages. */
  | { readonly kind: "unreachable"; readonly reason: string };

/** Most of the body of an answer that is read. */
const MAX_BODY_BYTES = 64 * 1024;
/** Longest wait that an answer can ask for, in milliseconds. */
const MAX_RETRY_AFTER_MS = 3_600_000;
/** How long a connection is kept without use, in milliseconds. */
const KEEP_IDLE_MS = 15_000;

/** Tells one receiver. */
export class HookReceiver implements Disposable {
  readonly #settings: HookSettings;
  readonly #client: Deno.HttpClient;

  /** @param ca Certificates in PEM that its certificate may lead up to, beside those that Deno trusts. */
  constructor(settings: HookSettings, { ca }: { readonly ca?: string | undefined } = {}) {
    this.#settings = settings;
    this.#client = Deno.createHttpClient({
      ...ca !== undefined && { caCerts: [ca] },
      poolIdleTimeout: KEEP_IDLE_MS,
      http2: false, // one message that is not answered would stop the others of its connection
    });
  }

  /**
   * Makes an attempt.
   *
   * @throws The reason of the signal when it aborts.
   */
  async send(message: HookMessage, signal: AbortSignal): Promise<HookOutcome> {
    const { url, timeout } = this.#settings;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeout * 1000);
    const both = AbortSignal.any([signal, late.signal]);
    try {
      const headers = await this.#sign(message, both);
      signal.throwIfAborted();
      if (typeof headers === "string") return { kind: "unreachable", reason: headers };
      const request = {
        method: "POST",
        headers,
        body: message.body,
        redirect: "manual",
        client: this.#client,
      } as const;
      const answer = await fetch(url, { ...request, signal: both });
      const outcome = outcomeOf(answer);
      await drain(answer.body).catch(() => {}); // the status says it all
      signal.throwIfAborted();
      return outcome;
    } catch (error) {
      signal.throwIfAborted();
      if (late.signal.aborted) return { kind: "refused", reason: `no answer within ${timeout} s`, isBusy: false };
      return { kind: "unreachable", reason: reasonOf(error) };
    } finally {
      clearTimeout(timer);
    }
  }

  /** Makes the headers; returns why they cannot be made. A file whose disk does not answer is not waited for. */
  async #sign(message: HookMessage, signal: AbortSignal): Promise<Record<string, string> | string> {
    const { tokenFile } = this.#settings;
    try {
      const key = keyOf(await abortable(Deno.readTextFile(tokenFile), signal));
      return signedHeaders(message, key, Math.floor(Date.now() / 1000));
    } catch (error) {
      return `cannot use ${tokenFile}: ${signal.aborted ? "it does not answer" : describeThrown(error)}`;
    }
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

function outcomeOf({ ok, status, headers }: Response): HookOutcome {
  if (ok) return { kind: "delivered" };
  const retryAfterMs = parseRetryAfter(headers.get("retry-after"), Date.now());
  const isBusy = status === 429;
  return { kind: "refused", reason: `answered ${status}`, isBusy, ...retryAfterMs !== undefined && { retryAfterMs } };
}

/** Seconds, or a date (RFC 9110 §10.2.3), as milliseconds from now, an hour at most; `undefined` for anything else. */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d{1,10}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** Reads a short body to its end, so that the connection can be used again; of a longer one it is given up. */
async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) break; // which cancels it
  }
}

/** What the runtime says, without the address: the log has the name of the hook. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return describeThrown(cause).replace(/^error sending request.*?(?:: |$)/, "") || "no connection";
}
