/**
 * Accounts that a program elsewhere knows, which is asked over HTTP with name and password.
 *
 * Only 200 lets somebody in, and only 401, 403 and 404 are a refusal. Whatever else comes, or nothing, is no answer: nobody gets
 * in, and nobody is said to have a wrong password. No redirect is followed: the password would go where the configuration does
 * not say.
 *
 * @module
 */

import { abortable } from "../deadline.ts";
import type { CallOptions } from "../filesystem/filesystem.ts";
import { addressBlock } from "../protocol/host_port.ts";
import { describeThrown } from "../thrown.ts";
import { type AccountEntry, AccountRowError, type EntryLogin } from "./account_entries.ts";
import { AuthorizerBusyError, type Credentials } from "./authorizer.ts";
import { CircuitBreaker, type CircuitBreakerOptions } from "./circuit_breaker.ts";
import { MAX_ANSWER_BYTES, parseAnswer, toRequest } from "./hook_answer.ts";
import { runInPlace, WorkQueue } from "./work_queue.ts";

/** A hook as a configuration has it. */
export interface HookAccountsOptions extends CircuitBreakerOptions {
  readonly url: string;
  /** File with the token. */
  readonly tokenFile: string;
  /** Certificates in PEM that its certificate may lead up to, beside those that Deno trusts. */
  readonly ca?: string | undefined;
  /**
   * Longest time of an answer, in seconds.
   *
   * @default 5
   */
  readonly timeout?: number | undefined;
  /** Which of several servers asks; absent: there is only one. */
  readonly node?: string | undefined;
}

const DEFAULT_TIMEOUT_SECONDS = 5;
/** How many requests run at once, and how many more wait. */
const MAX_RUNNING = 16;
const MAX_WAITING = 512;
/** How long a connection is kept without use, in milliseconds. */
const KEEP_IDLE_MS = 15_000;
const REFUSALS: readonly number[] = [401, 403, 404];
/** What those say who stand in front of a hook that is away (RFC 9110 §15.6). */
const AWAY_STATUSES: readonly number[] = [502, 503, 504];
const TOKEN = /^[\x21-\x7e]+$/;
const AWAY = "The hook with the accounts cannot be asked";

/** The hook has answered, but neither yes nor no. */
class UnusableAnswerError extends Error {}

/** Errors of a hook that has answered. */
const ANSWERS = [UnusableAnswerError, AccountRowError, SyntaxError];

/** Asks one hook, until it is disposed of. */
export class HookAccounts implements EntryLogin, Disposable {
  readonly #options: HookAccountsOptions;
  readonly #client: Deno.HttpClient;
  readonly #breaker: CircuitBreaker;
  readonly #places = new WorkQueue({ maxRunning: MAX_RUNNING, maxWaiting: MAX_WAITING });

  constructor(options: HookAccountsOptions) {
    this.#options = options;
    this.#breaker = new CircuitBreaker(options);
    this.#client = Deno.createHttpClient({
      ...options.ca !== undefined && { caCerts: [options.ca] },
      poolIdleTimeout: KEEP_IDLE_MS,
      http2: false, // one request that is not answered would stop the others of its connection
    });
  }

  /** See {@linkcode EntryLogin.login}. */
  async login(credentials: Credentials, { signal }: CallOptions): Promise<AccountEntry | undefined> {
    const how = { signal, owner: addressBlock(credentials.remoteHost) };
    return await runInPlace(this.#places, () => this.#ask(credentials, signal), how);
  }

  async #ask(credentials: Credentials, signal: AbortSignal): Promise<AccountEntry | undefined> {
    if (!this.#breaker.mayAsk()) throw new AuthorizerBusyError(AWAY, { isOutage: true, cause: "it has not answered" });
    try {
      const entry = await this.#send(credentials, signal);
      this.#breaker.succeed();
      return entry;
    } catch (error) {
      signal.throwIfAborted();
      // A hook that stumbles over one name is there: else whoever sends that name would keep the others out.
      if (ANSWERS.some((kind) => error instanceof kind)) this.#breaker.succeed();
      else this.#breaker.fail();
      if (error instanceof AccountRowError) throw error;
      throw new AuthorizerBusyError(AWAY, { isOutage: true, cause: reasonOf(error) });
    }
  }

  async #send(credentials: Credentials, signal: AbortSignal): Promise<AccountEntry | undefined> {
    const { url, tokenFile, timeout = DEFAULT_TIMEOUT_SECONDS, node } = this.#options;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeout} s`)), timeout * 1000);
    const ended = AbortSignal.any([signal, late.signal]);
    try {
      // A disk that does not answer would keep the place of others.
      const token = (await abortable(Deno.readTextFile(tokenFile), ended)).trim();
      // What the runtime says of headers shows them.
      if (!TOKEN.test(token)) throw new Error("the token is not one word of printable ASCII");
      const response = await fetch(url, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json", accept: "application/json" },
        body: JSON.stringify(toRequest(credentials, node)),
        redirect: "manual",
        client: this.#client,
        signal: ended,
      });
      return await readAnswer(response, credentials.username);
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

async function readAnswer(response: Response, asked: string): Promise<AccountEntry | undefined> {
  const { status, headers, body } = response;
  if (status !== 200) {
    await drain(body);
    if (REFUSALS.includes(status)) return undefined;
    const text = `it has answered ${status}`;
    throw AWAY_STATUSES.includes(status) ? new Error(text) : new UnusableAnswerError(text);
  }
  const type = headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    await body?.cancel();
    throw new UnusableAnswerError("it has answered 200 without JSON (Content-Type: application/json)");
  }
  return parseAnswer(await readText(body), asked);
}

/** @throws {Error} When it is longer than an answer may be, or no text. */
async function readText(body: ReadableStream<Uint8Array> | null): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for await (const chunk of body ?? []) { // which is cancelled when that throws
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new UnusableAnswerError(`its answer has more than ${MAX_ANSWER_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Reads a short body to its end, so that the connection can be used again; of a longer one it is given up. */
async function drain(body: ReadableStream<Uint8Array> | null): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > MAX_ANSWER_BYTES) break;
    }
  } catch {
    // the status says it all
  }
}

/** What the runtime says, without the address: the log has the name of the source. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return describeThrown(cause).replace(/^error sending request.*?(?:: |$)/, "") || "no connection";
}
