/**
 * A client of ACME (RFC 8555): account, order, challenge, certificate.
 *
 * It is ours because the clients on npm need the environment, keep the authorities they trust in a global, and wait without a signal
 * (docs/decisions/0012-acme-client.md).
 *
 * @module
 */

import { AcmeError, isObject, printable, problemError, readProblem } from "./acme_error.ts";
import { type AcmeAnswer, type AcmeTransport, parseJson, parseRetryAfter, refusal } from "./acme_transport.ts";
import { type AccountKey, bindExternalAccount, type ExternalAccount, keyAuthorization, signRequest } from "./jws.ts";

/** Who asks. */
export interface AcmeAccount {
  readonly key: AccountKey;
  /** Where the CA has it; absent: it has to be made or found first. */
  readonly url?: string | undefined;
}

/** What an account is made with. */
export interface Registration {
  readonly email?: string | undefined;
  readonly external?: ExternalAccount | undefined;
}

/** An order, as the CA tells it. */
export interface AcmeOrder {
  readonly url: string;
  readonly status: string;
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate: string | undefined;
  /** Why it has come to nothing. */
  readonly error: unknown;
  /** How long to wait before it is asked for again, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** What proves a name. */
export interface AcmeAuthorization {
  readonly url: string;
  readonly name: string;
  readonly status: string;
  /** That of http-01; absent: the CA offers none. */
  readonly challenge: { readonly url: string; readonly token: string; readonly error: unknown } | undefined;
  readonly retryAfterMs: number | undefined;
}

/** Where a CA does what. */
interface Directory {
  readonly newNonce: string;
  readonly newAccount: string;
  readonly newOrder: string;
  readonly needsExternalAccount: boolean;
}

/** So often is a nonce refused before it is a fault: of a CA that refuses each second one, one request in a million fails. */
const MAX_NONCES = 20;
/** Nonces that are kept; each answer brings one. */
const MAX_KEPT_NONCES = 4;
/** Tokens of http-01 have the letters of base64url (RFC 8555 §8.3); ours end up in a path. */
const TOKEN = /^[A-Za-z0-9_-]{16,256}$/;
/** Most names of an order, and so most authorizations. */
const MAX_AUTHORIZATIONS = 100;

/** Speaks for one account. */
export class AcmeClient {
  readonly #transport: AcmeTransport;
  readonly #directoryUrl: string;
  readonly #key: AccountKey;
  #account: string | undefined;
  #directory: Directory | undefined;
  readonly #nonces: string[] = [];

  /** @param directory Address of the directory. */
  constructor(transport: AcmeTransport, directory: string, { key, url }: AcmeAccount) {
    this.#transport = transport;
    this.#directoryUrl = directory;
    this.#key = key;
    this.#account = url;
  }

  /**
   * Makes the account, or finds that of the key.
   *
   * @returns Its URL.
   * @throws {AcmeError} When the CA refuses it.
   */
  async register({ email, external }: Registration, signal: AbortSignal): Promise<string> {
    const { newAccount, needsExternalAccount } = await this.#find(signal);
    if (needsExternalAccount && external === undefined) {
      throw problemError({ type: "externalAccountRequired", detail: "the directory says externalAccountRequired" });
    }
    const binding = external && await bindExternalAccount(external, this.#key.jwk, newAccount);
    const answer = await this.#post(newAccount, {
      termsOfServiceAgreed: true,
      ...email !== undefined && { contact: [`mailto:${email}`] },
      ...binding && { externalAccountBinding: binding },
    }, { signal, isNewAccount: true });
    return this.#account = locationOf(answer);
  }

  /** Orders a certificate for names. */
  async order(names: readonly string[], signal: AbortSignal): Promise<AcmeOrder> {
    const { newOrder } = await this.#find(signal);
    const identifiers = names.map((value) => ({ type: "dns", value }));
    const answer = await this.#post(newOrder, { identifiers }, { signal });
    return readOrder(locationOf(answer), answer);
  }

  /** Looks at an order. */
  async lookUp(url: string, signal: AbortSignal): Promise<AcmeOrder> {
    return readOrder(url, await this.#post(url, undefined, { signal }));
  }

  /** Looks at an authorization. */
  async authorization(url: string, signal: AbortSignal): Promise<AcmeAuthorization> {
    return readAuthorization(url, await this.#post(url, undefined, { signal }));
  }

  /** What this account answers a challenge with. */
  keyAuthorization(token: string): Promise<string> {
    return keyAuthorization(this.#key, token);
  }

  /** Tells the CA that a challenge can be looked at. */
  async respond(challenge: string, signal: AbortSignal): Promise<void> {
    await this.#post(challenge, {}, { signal });
  }

  /** Hands in the request for the certificate (RFC 2986), in DER and base64url. */
  async finalize({ url, finalize }: AcmeOrder, csr: string, signal: AbortSignal): Promise<AcmeOrder> {
    return readOrder(url, await this.#post(finalize, { csr }, { signal }));
  }

  /** Fetches the chain in PEM, the certificate of the server first. */
  async certificate(url: string, signal: AbortSignal): Promise<string> {
    return (await this.#post(url, undefined, { signal })).text;
  }

  async #find(signal: AbortSignal): Promise<Directory> {
    if (this.#directory !== undefined) return this.#directory;
    const answer = await this.#transport.send({ method: "GET", url: this.#directoryUrl, signal });
    if (answer.status !== 200) throw refusal(answer);
    const given = objectOf(answer);
    const meta = isObject(given.meta) ? given.meta : {};
    return this.#directory = {
      newNonce: textOf(given.newNonce, "newNonce"),
      newAccount: textOf(given.newAccount, "newAccount"),
      newOrder: textOf(given.newOrder, "newOrder"),
      needsExternalAccount: meta.externalAccountRequired === true,
    };
  }

  /** Sends a signed request, with another nonce as long as only that is refused (RFC 8555 §6.5). */
  async #post(
    url: string,
    payload: unknown,
    { signal, isNewAccount = false }: { readonly signal: AbortSignal; readonly isNewAccount?: boolean },
  ): Promise<AcmeAnswer> {
    const who = isNewAccount || this.#account === undefined ? { jwk: this.#key.jwk } : { kid: this.#account };
    for (let tries = 1;; tries++) {
      const nonce = await this.#nonce(signal);
      const body = JSON.stringify(await signRequest(this.#key, { ...who, nonce, url }, payload));
      const answer = await this.#transport.send({ method: "POST", url, body, signal });
      this.#keepNonce(answer);
      if (answer.status >= 200 && answer.status < 300) return answer;
      const error = refusal(answer);
      if (error.type !== "badNonce" || tries === MAX_NONCES) throw error;
    }
  }

  async #nonce(signal: AbortSignal): Promise<string> {
    const kept = this.#nonces.pop();
    if (kept !== undefined) return kept;
    const { newNonce } = await this.#find(signal);
    const answer = await this.#transport.send({ method: "HEAD", url: newNonce, signal });
    if (answer.status >= 300) throw refusal(answer);
    this.#keepNonce(answer);
    const nonce = this.#nonces.pop();
    if (nonce === undefined) throw new AcmeError("badAnswer", "the CA gives no nonce");
    return nonce;
  }

  #keepNonce({ headers }: AcmeAnswer): void {
    const nonce = headers.get("replay-nonce");
    if (nonce === null || !/^[A-Za-z0-9_-]{1,256}$/.test(nonce)) return;
    this.#nonces.push(nonce);
    if (this.#nonces.length > MAX_KEPT_NONCES) this.#nonces.shift(); // the older ones end first
  }
}

function readOrder(url: string, answer: AcmeAnswer): AcmeOrder {
  const given = objectOf(answer);
  const authorizations = Array.isArray(given.authorizations) ? given.authorizations : [];
  if (authorizations.length > MAX_AUTHORIZATIONS) throw new AcmeError("badAnswer", "the CA asks for too many proofs");
  return {
    url,
    status: textOf(given.status, "status"),
    authorizations: authorizations.map((each) => textOf(each, "authorizations")),
    finalize: textOf(given.finalize, "finalize"),
    certificate: typeof given.certificate === "string" ? given.certificate : undefined,
    error: given.error,
    retryAfterMs: retryAfterOf(answer),
  };
}

function readAuthorization(url: string, answer: AcmeAnswer): AcmeAuthorization {
  const given = objectOf(answer);
  const { value } = isObject(given.identifier) ? given.identifier : {};
  const challenges = Array.isArray(given.challenges) ? given.challenges.filter(isObject) : [];
  const challenge = challenges.find(({ type }) => type === "http-01");
  const token = challenge?.token;
  if (token !== undefined && (typeof token !== "string" || !TOKEN.test(token))) {
    throw new AcmeError("badAnswer", "the CA gives a token that is none");
  }
  return {
    url,
    name: printable(textOf(value, "identifier")),
    status: textOf(given.status, "status"),
    challenge: challenge && token !== undefined
      ? { url: textOf(challenge.url, "url"), token, error: challenge.error }
      : undefined,
    retryAfterMs: retryAfterOf(answer),
  };
}

/** Why an order or a proof has come to nothing. */
export function verdictOf(error: unknown, name?: string): AcmeError {
  return problemError(readProblem(error), { name });
}

function retryAfterOf({ headers }: AcmeAnswer): number | undefined {
  return parseRetryAfter(headers.get("retry-after"), Date.now());
}

function locationOf({ headers }: AcmeAnswer): string {
  return textOf(headers.get("location"), "Location");
}

function objectOf({ text }: AcmeAnswer): Readonly<Record<string, unknown>> {
  const value = parseJson(text);
  if (isObject(value)) return value;
  throw new AcmeError("badAnswer", "the CA answers with what is no object of JSON");
}

function textOf(value: unknown, what: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new AcmeError("badAnswer", `the CA gives no ${what}`);
}
