/**
 * Checking passwords without telling more than right or wrong, and without being worn out by it.
 *
 * - **Equal work.** A failing check computes one scrypt digest for each distinct cost among the users, whoever it is
 *   for: the user's own hash for its cost, decoys for the others, only decoys for a user that does not exist or whose
 *   password was given in clear text. So neither time nor load tells whether a name exists.
 * - **Bounded work.** A few checks run at once, some more wait, the rest is turned away.
 * - **Remembered successes.** The last right password of a user is kept as a digest under a random key of this object, so
 *   that the next login costs microseconds. The digest covers user, hash and password, and a failing check of that user
 *   drops it. Only a right password is ever answered sooner, and its reply tells so anyway; a wrong one costs full work
 *   whether or not something was remembered.
 *
 * No clear-text password is kept.
 *
 * @module
 */

import {
  computeKeyedDigest,
  deriveDigest,
  equalDigests,
  isPasswordHash,
  parsePasswordHash,
  type PasswordHash,
  type ScryptCost,
  type ScryptParameters,
} from "./password_hash.ts";
import { WorkQueue } from "./work_queue.ts";

/** Bounds of password checking. */
export interface PasswordVerifierLimits {
  /**
   * How many checks run at once; with the default cost each takes 128 MiB of memory and a processor meanwhile.
   *
   * @default 2
   */
  readonly maxRunning?: number;
  /**
   * How many more checks may wait; the next one is turned away with `AuthorizerBusyError`.
   *
   * @default 512
   */
  readonly maxWaiting?: number;
  /**
   * How many users' last successes are remembered; 0 remembers none.
   *
   * @default 1024
   */
  readonly maxRemembered?: number;
}

/** Options of a {@linkcode PasswordVerifier}. */
export interface PasswordVerifierOptions extends PasswordVerifierLimits {
  /**
   * Computes a digest.
   *
   * @default deriveDigest
   */
  readonly derive?: (password: string, parameters: ScryptParameters) => Promise<Uint8Array>;
}

/** A user's password as it is kept: a scrypt hash, or a digest of clear text that only its verifier can check. */
export type StoredPassword = { readonly hash: PasswordHash } | { readonly sealed: Uint8Array };

/** What is to be checked. */
export interface PasswordAttempt {
  readonly username: string;
  /** What the client gave. */
  readonly password: string;
  /** The password of this user, or `undefined` when there is no such user. */
  readonly stored: StoredPassword | undefined;
}

/** How an attempt is to be checked. */
export interface PasswordAttemptOptions {
  /** The distinct costs among the users' hashes. */
  readonly costs: readonly ScryptCost[];
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** Checks passwords against what is stored of them. */
export class PasswordVerifier {
  readonly #derive: (password: string, parameters: ScryptParameters) => Promise<Uint8Array>;
  readonly #queue: WorkQueue;
  readonly #maxRemembered: number;
  readonly #key = crypto.getRandomValues(new Uint8Array(32));
  readonly #decoySalt = crypto.getRandomValues(new Uint8Array(16));
  /** Digest of each user's last success; the least recently used one comes first. */
  readonly #remembered = new Map<string, Uint8Array>();

  /**
   * Makes a verifier with a random key of its own.
   *
   * @throws {RangeError} When a bound is out of range.
   */
  constructor(options: PasswordVerifierOptions = {}) {
    const { maxRunning = 2, maxWaiting = 512, maxRemembered = 1024, derive = deriveDigest } = options;
    if (!Number.isInteger(maxRemembered) || maxRemembered < 0) {
      throw new RangeError(`Cannot remember ${maxRemembered} successes: it must be a whole number from 0 on`);
    }
    this.#derive = derive;
    this.#queue = new WorkQueue({ maxRunning, maxWaiting });
    this.#maxRemembered = maxRemembered;
  }

  /**
   * Makes what is kept of a user's password, a PHC string or clear text.
   *
   * @throws {TypeError} When it is empty.
   * @throws {SyntaxError} When it is meant as a hash (`$scheme$…`) and is not a sound one of scrypt.
   */
  store(username: string, password: string): StoredPassword {
    if (password === "") throw new TypeError(`Cannot keep the password of ${JSON.stringify(username)}: it is empty`);
    return isPasswordHash(password)
      ? { hash: parsePasswordHash(password) }
      : { sealed: this.#seal(username, password) };
  }

  /**
   * Tells whether the password is right. A check that has begun goes on when `signal` aborts, unheard.
   *
   * @throws {AuthorizerBusyError} When too many checks wait already.
   * @throws The reason of `options.signal` when it aborts.
   */
  async verify(attempt: PasswordAttempt, options: PasswordAttemptOptions): Promise<boolean> {
    options.signal.throwIfAborted();
    if (this.#fitsAtOnce(attempt)) return true;
    return await this.#queue.run(() => this.#verifyInTurn(attempt, options), options);
  }

  /** Drops what is remembered of a user. */
  forget(username: string): void {
    this.#remembered.delete(username);
  }

  async #verifyInTurn(attempt: PasswordAttempt, options: PasswordAttemptOptions): Promise<boolean> {
    // Somebody ahead in the queue may have come with the same user and password.
    if (this.#fitsAtOnce(attempt)) return true;
    const { username, password, stored } = attempt;
    const hash = stored && "hash" in stored ? stored.hash : undefined;
    if (hash && equalDigests(await this.#derive(password, hash), hash.digest)) {
      this.#remember(username, this.#identify(attempt, hash));
      return true;
    }
    this.forget(username);
    for (const cost of options.costs) {
      if (hash && equalCosts(hash.cost, cost)) continue;
      options.signal.throwIfAborted();
      await this.#derive(password, { cost, salt: this.#decoySalt, length: 32 });
    }
    return false;
  }

  #fitsAtOnce(attempt: PasswordAttempt): boolean {
    const { username, password, stored } = attempt;
    if (!stored) return false;
    if ("sealed" in stored) return equalDigests(this.#seal(username, password), stored.sealed);
    const remembered = this.#remembered.get(username);
    if (!remembered || !equalDigests(this.#identify(attempt, stored.hash), remembered)) return false;
    this.#remember(username, remembered);
    return true;
  }

  #remember(username: string, digest: Uint8Array): void {
    this.#remembered.delete(username);
    this.#remembered.set(username, digest);
    if (this.#remembered.size <= this.#maxRemembered) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.forget(oldest);
  }

  #seal(username: string, password: string): Uint8Array {
    return computeKeyedDigest(this.#key, ["sealed", username, password]);
  }

  #identify({ username, password }: PasswordAttempt, hash: PasswordHash): Uint8Array {
    return computeKeyedDigest(this.#key, ["remembered", username, hash.text, password]);
  }
}

/** Tells whether two digests take the same work. */
export function equalCosts(one: ScryptCost, other: ScryptCost): boolean {
  return one.ln === other.ln && one.r === other.r && one.p === other.p;
}
