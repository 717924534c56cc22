/**
 * Who may ask the admin API: who has the token, does not ask too often, and is no page of another site.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { addressBlock, ipFamily } from "../../protocol/host_port.ts";

/** What access goes by. */
export interface AccessOptions {
  /** The token; absent: it is not known, so that nobody may ask, or none is wanted. */
  readonly token: () => string | undefined;
  /** Whether whoever reaches the listener may ask, as on a Unix socket that its mode protects. */
  readonly isOpen: () => boolean;
  /** Names that a browser may have in its address bar, beside addresses and `localhost`; asked for each request. */
  readonly hosts: () => readonly string[];
  /** Milliseconds; a clock that is never set. */
  readonly now?: () => number;
}

/** Why a request is refused. */
export interface AccessRefusal {
  readonly status: 401 | 403 | 421 | 429;
  readonly error: string;
}

/** Requests with the right token that may come at once from a client, and how many more each second. */
const BURST = 100;
const REQUESTS_PER_SECOND = 25;
/** Wrong tokens of a client, and the time after which one is forgotten. */
const MAX_WRONG = 10;
const FORGET_WRONG_MS = 10_000;
/** Clients that are kept in mind; the one that asked first goes. */
const MAX_CLIENTS = 1_000;

interface Client {
  tokens: number;
  wrong: number;
  at: number;
}

/** Decides about requests. */
export class ApiAccess {
  readonly #options: AccessOptions;
  readonly #now: () => number;
  readonly #clients = new Map<string, Client>();

  constructor(options: AccessOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Whether one needs a token. */
  get wantsToken(): boolean {
    return !this.#options.isOpen();
  }

  /**
   * Looks whether a page of another site makes a browser ask: by a name of its own that leads here (DNS rebinding), or by a
   * request that it may send without being able to read the answer.
   */
  refuseForeign(request: Request): AccessRefusal | undefined {
    const { host, hostname } = new URL(request.url);
    if (!this.#isOurs(hostname)) return { status: 421, error: `no server is called ${hostname} here` };
    const origin = request.headers.get("origin");
    const site = request.headers.get("sec-fetch-site");
    const isForeign = origin !== null && URL.parse(origin)?.host !== host;
    if (isForeign || site === "cross-site" || site === "same-site") {
      return { status: 403, error: "pages of other sites may not ask" };
    }
    return undefined;
  }

  /**
   * Looks whether a client has the token, and does not ask too often. Nobody who has not can keep out who has, though both come
   * from one address, as all of a host and all behind a proxy do: a token is too long to be guessed, so guesses are slowed down
   * only for what they cost.
   */
  refuseClient(address: string, request: Request): AccessRefusal | undefined {
    const client = this.#clientOf(address);
    if (this.#mayAsk(request)) {
      if (client.tokens < 1) return { status: 429, error: "too many requests, try again later" };
      client.tokens--;
      return undefined;
    }
    if (client.wrong >= MAX_WRONG) return { status: 429, error: "too many wrong tokens, try again later" };
    client.wrong++;
    return { status: 401, error: "the token is missing or wrong" };
  }

  #mayAsk(request: Request): boolean {
    const token = this.#options.token();
    return this.#options.isOpen() || (token !== undefined && isSame(bearerOf(request), token));
  }

  #isOurs(hostname: string): boolean {
    const bare = hostname.replace(/^\[(.*)\]$/, "$1");
    return ipFamily(bare) !== undefined || bare === "localhost" || this.#options.hosts().includes(bare);
  }

  #clientOf(host: string): Client {
    const address = addressBlock(host);
    const now = this.#now();
    const known = this.#clients.get(address);
    this.#clients.delete(address);
    const client = known ?? { tokens: BURST, wrong: 0, at: now };
    const elapsed = now - client.at;
    client.tokens = Math.min(BURST, client.tokens + elapsed / 1000 * REQUESTS_PER_SECOND);
    client.wrong = Math.max(0, client.wrong - elapsed / FORGET_WRONG_MS);
    client.at = now;
    if (this.#clients.size >= MAX_CLIENTS) {
      const [oldest] = this.#clients.keys();
      if (oldest !== undefined) this.#clients.delete(oldest);
    }
    this.#clients.set(address, client);
    return client;
  }
}

function bearerOf(request: Request): string {
  const [, token = ""] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  return token;
}

/** In a time that does not tell how much of it is right. */
function isSame(given: string, token: string): boolean {
  const digest = (text: string) => createHash("sha256").update(Buffer.from(text)).digest();
  return timingSafeEqual(digest(given), digest(token));
}
