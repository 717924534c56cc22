/**
 * Passwords that are checked elsewhere: few at once, and not again where a success is remembered.
 *
 * What is remembered is a digest under a random key of this object, for a set time, of all that was looked at: who checks passwords may
 * say yes to an address, or to a certificate, and no to others. A refusal is never remembered. A wrong password
 * says nothing against the right one: else whoever guesses would keep out those who are remembered while nobody can be asked.
 *
 * @module
 */

import type { DelegatedPassword, FoundAccount } from "./account_source.ts";
import { addressBlock } from "../protocol/host_port.ts";
import { AuthorizerBusyError, type Credentials } from "./authorizer.ts";
import { decoyOf } from "./decoy.ts";
import { computeKeyedDigest, equalDigests } from "./password_digest.ts";
import { runInPlace, type WorkOptions, WorkQueue } from "./work_queue.ts";

/** Bounds of a {@linkcode DelegatedVerifier}. */
export interface DelegatedVerifierOptions {
  /**
   * How many checks run at once.
   *
   * @default 16
   */
  readonly maxRunning?: number;
  /**
   * How many more may wait.
   *
   * @default 512
   */
  readonly maxWaiting?: number;
  /**
   * How many successes are remembered, the last of each name and address, with their accounts.
   *
   * @default 1024
   */
  readonly maxRemembered?: number;
}

/** How a password is to be checked. */
export interface DelegatedCheckOptions extends WorkOptions {
  /**
   * Returns whether a success that is remembered counts now.
   *
   * @default {it does}
   */
  readonly counts?: (account: FoundAccount) => boolean;
}

/** A login that succeeded. */
interface Success {
  /** Of the credentials. */
  readonly digest: Uint8Array;
  readonly account: FoundAccount;
  /** When it ends to count, by `performance.now()`. */
  readonly until: number;
}

const DEFAULT_REMEMBER_SECONDS = 60;

/** Lets passwords be checked elsewhere. */
export class DelegatedVerifier {
  readonly #places: WorkQueue;
  readonly #maxRemembered: number;
  readonly #key = crypto.getRandomValues(new Uint8Array(32));
  /** Stands for the digest of a success where none is remembered. */
  readonly #nothing = crypto.getRandomValues(new Uint8Array(32));
  /** The last success of each name and address (of IPv6 the /64); the least recently used one comes first. */
  readonly #remembered = new Map<string, Success>();

  /**
   * Makes one that remembers nothing yet.
   *
   * @throws {RangeError} When a bound is out of range.
   */
  constructor({ maxRunning = 16, maxWaiting = 512, maxRemembered = 1024 }: DelegatedVerifierOptions = {}) {
    this.#places = new WorkQueue({ maxRunning, maxWaiting });
    this.#maxRemembered = maxRemembered;
  }

  /**
   * Returns the account of a name and password; `undefined` when there is none.
   *
   * @param options.owner Who asks; those who ask take turns.
   * @throws {AuthorizerBusyError} When too many checks wait already, or nobody can check it.
   * @throws The reason of `options.signal` when it aborts, and what the check throws.
   */
  async check(
    password: DelegatedPassword,
    credentials: Credentials,
    options: DelegatedCheckOptions,
  ): Promise<FoundAccount | undefined> {
    options.signal.throwIfAborted();
    const known = this.#find(password, credentials, options);
    if (known !== undefined) return known;
    return await runInPlace(this.#places, () => this.#checkInTurn(password, credentials, options), options);
  }

  /** Lets the next login with a name ask again. */
  forget(password: DelegatedPassword, credentials: Credentials): void {
    this.#remembered.delete(keyOf(password, credentials));
  }

  async #checkInTurn(
    password: DelegatedPassword,
    credentials: Credentials,
    options: DelegatedCheckOptions,
  ): Promise<FoundAccount | undefined> {
    // Somebody ahead in the queue may have come with the same name and password.
    const known = this.#find(password, credentials, options);
    if (known !== undefined) return known;
    const key = keyOf(password, credentials);
    const wasCompared = this.#remembered.has(key);
    try {
      const account = await ask(password, credentials, options.signal);
      this.#keep(key, password, { credentials, account });
      return account;
    } catch (error) {
      if (error instanceof AuthorizerBusyError) {
        // Nobody guesses at what is remembered for nothing, while the one who knows better is away.
        const { message, isOutage, cause, countsAsFailure } = error;
        throw new AuthorizerBusyError(message, { isOutage, cause, countsAsFailure: countsAsFailure || wasCompared });
      }
      // Whoever leaves has been told nothing.
      if (!options.signal.aborted) this.#remembered.delete(key);
      throw error;
    }
  }

  #find(
    password: DelegatedPassword,
    credentials: Credentials,
    { counts }: DelegatedCheckOptions,
  ): FoundAccount | undefined {
    const key = keyOf(password, credentials);
    let success = this.#remembered.get(key);
    if (success !== undefined && success.until <= performance.now()) {
      this.#remembered.delete(key);
      success = undefined;
    }
    const isSame = equalDigests(this.#identify(credentials), success?.digest ?? this.#nothing);
    if (!isSame || success === undefined || counts?.(success.account) === false) return undefined;
    this.#set(key, success);
    return success.account;
  }

  #keep(
    key: string,
    { rememberSeconds = DEFAULT_REMEMBER_SECONDS }: DelegatedPassword,
    { credentials, account }: { readonly credentials: Credentials; readonly account: FoundAccount | undefined },
  ): void {
    const digest = this.#identify(credentials);
    if (account === undefined) {
      const success = this.#remembered.get(key);
      if (success !== undefined && equalDigests(digest, success.digest)) this.#remembered.delete(key);
    } else if (rememberSeconds > 0) {
      this.#set(key, { digest, account, until: performance.now() + rememberSeconds * 1000 });
    }
  }

  /** Sets it as the one that was used last. */
  #set(key: string, success: Success): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, success);
    const [first] = this.#remembered.keys();
    if (this.#remembered.size > this.#maxRemembered && first !== undefined) this.#remembered.delete(first);
  }

  #identify({ username, password, remoteHost, tls }: Credentials): Uint8Array {
    const { protocol = "", cipher = "", peerCertificate } = tls ?? {};
    const shown = [protocol, cipher, peerCertificate?.fingerprint ?? ""];
    return computeKeyedDigest(this.#key, [username, password, remoteHost, ...shown]);
  }
}

function keyOf({ checkedBy = "" }: DelegatedPassword, { username, remoteHost }: Credentials): string {
  return `${checkedBy}\0${addressBlock(remoteHost)}\0${username}`;
}

/** An empty password takes the time of a wrong one, and is shown to nobody: directories let anybody in with it (RFC 4513 §5.1.2). */
async function ask(
  password: DelegatedPassword,
  credentials: Credentials,
  signal: AbortSignal,
): Promise<FoundAccount | undefined> {
  if (credentials.password !== "") return await password.check(credentials, { signal }) ?? undefined;
  await password.check(decoyOf(credentials), { signal });
  return undefined;
}
