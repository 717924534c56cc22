/**
 * Checking passwords without telling more than right or wrong, and without being worn out by it.
 *
 * - **Equal work.** A failing check computes one digest for each distinct scheme and cost among the users, whoever it
 *   is for: the user's own hash for its cost, decoys for the others, only decoys for a user that does not exist or whose
 *   password was given in clear text. So neither time nor load tells whether a name exists.
 * - **Bounded work.** A few checks run at once, some more wait, the rest is turned away. Those who wait take turns by where
 *   they come from, so that a flood of logins from one place delays others by one check.
 * - **Remembered successes.** The last right password of a user is kept as a digest under a random key of this object, so
 *   that the next login costs microseconds. The digest covers user, hash and password, and a failing check of that user
 *   drops it. Only a right password is ever answered sooner, and its reply tells so anyway; a wrong one costs full work
 *   whether or not something was remembered.
 *
 * No clear-text password is kept.
 *
 * @module
 */

import { deriveImportedDigest } from "./imported_digest.ts";
import type { ImportedCost } from "./imported_hash.ts";
import {
  computeKeyedDigest,
  deriveDigest,
  equalDigests,
  isPasswordHash,
  type ScryptCost,
  type ScryptParameters,
} from "./password_hash.ts";
import { parseStoredHash, type StoredHash } from "./stored_hash.ts";
import { fitsHash } from "./verify_password.ts";
import type { WorkPlaces } from "./work_places.ts";
import { runInPlace, WorkQueue } from "./work_queue.ts";

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

/** How passwords are checked. */
export interface PasswordVerifierOptions extends PasswordVerifierLimits {
  /**
   * Computes a scrypt digest.
   *
   * @default deriveDigest
   */
  readonly derive?: (password: string, parameters: ScryptParameters) => Promise<Uint8Array>;
  /**
   * Where checks wait for their turn, together with those of other verifiers; `maxRunning` and `maxWaiting` mean nothing
   * then.
   *
   * @default a queue of its own
   */
  readonly places?: WorkPlaces;
}

/** A user's password as it is kept: a hash, or a digest of clear text that only its verifier can check. */
export type StoredPassword = StoredHash | { readonly sealed: Uint8Array };

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
  /** The distinct costs among the users' scrypt hashes. Those of other schemes are known from `store()`. */
  readonly costs: readonly ScryptCost[];
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Who asks; those who ask take turns. @default {""} */
  readonly owner?: string;
}

/** Checks passwords against what is stored of them. */
export class PasswordVerifier {
  readonly #derive: (password: string, parameters: ScryptParameters) => Promise<Uint8Array>;
  readonly #deriveImported: typeof deriveImportedDigest;
  readonly #places: WorkPlaces;
  readonly #maxRemembered: number;
  readonly #key = crypto.getRandomValues(new Uint8Array(32));
  /** Stands for the digest of a success where none is remembered. */
  readonly #nothing = crypto.getRandomValues(new Uint8Array(32));
  readonly #decoySalt = crypto.getRandomValues(new Uint8Array(16));
  /** Digest of each user's last success; the least recently used one comes first. */
  readonly #remembered = new Map<string, Uint8Array>();
  /** What it costs to check each user whose hash is of another scheme than scrypt. */
  readonly #importedCosts = new Map<string, ImportedCost>();

  /**
   * Makes a verifier with a random key of its own.
   *
   * @param deriveImported Computes a digest of another scheme than scrypt.
   * @throws {RangeError} When a bound is out of range.
   */
  constructor(options: PasswordVerifierOptions = {}, deriveImported = deriveImportedDigest) {
    const { maxRunning = 2, maxWaiting = 512, maxRemembered = 1024, derive = deriveDigest } = options;
    if (!Number.isInteger(maxRemembered) || maxRemembered < 0) {
      throw new RangeError(`Cannot remember ${maxRemembered} successes: it must be a whole number from 0 on`);
    }
    this.#derive = derive;
    this.#deriveImported = deriveImported;
    this.#places = options.places ?? new WorkQueue({ maxRunning, maxWaiting });
    this.#maxRemembered = maxRemembered;
  }

  /**
   * Makes what is kept of a user's password, a hash or clear text, in place of the user's former one.
   *
   * @throws {TypeError} When it is empty.
   * @throws {SyntaxError} When it is meant as a hash (`$scheme$…`) and is not a sound one of scrypt, argon2id or bcrypt.
   */
  store(username: string, password: string): StoredPassword {
    if (password === "") throw new TypeError(`Cannot keep the password of ${JSON.stringify(username)}: it is empty`);
    const stored = isPasswordHash(password) ? parseStoredHash(password) : { sealed: this.#seal(username, password) };
    if ("imported" in stored) this.#importedCosts.set(username, stored.imported.cost);
    else this.#importedCosts.delete(username);
    return stored;
  }

  /**
   * Returns whether the password is right. A check that has begun goes on when `signal` aborts, unheard.
   *
   * @throws {AuthorizerBusyError} When too many checks wait already.
   * @throws The reason of `options.signal` when it aborts.
   */
  async verify(attempt: PasswordAttempt, options: PasswordAttemptOptions): Promise<boolean> {
    options.signal.throwIfAborted();
    if (this.#fitsAtOnce(attempt)) return true;
    return await runInPlace(this.#places, () => this.#verifyInTurn(attempt, options), options);
  }

  /** Drops what is known of a user. */
  forget(username: string): void {
    this.#remembered.delete(username);
    this.#importedCosts.delete(username);
  }

  async #verifyInTurn(attempt: PasswordAttempt, options: PasswordAttemptOptions): Promise<boolean> {
    // Somebody ahead in the queue may have come with the same user and password.
    if (this.#fitsAtOnce(attempt)) return true;
    const { username, password, stored } = attempt;
    const hash = stored && !("sealed" in stored) ? stored : undefined;
    if (hash && await fitsHash(password, hash, this.#derive, this.#deriveImported)) {
      this.#remember(username, this.#identify(username, password, hash));
      return true;
    }
    this.#remembered.delete(username);
    await this.#computeDecoys(password, hash, options);
    return false;
  }

  /** Does the work of every cost but that of the hash that was compared. */
  async #computeDecoys(
    password: string,
    compared: StoredHash | undefined,
    { costs, signal }: PasswordAttemptOptions,
  ): Promise<void> {
    for (const cost of costs) {
      if (compared && "hash" in compared && equalCosts(compared.hash.cost, cost)) continue;
      signal.throwIfAborted();
      await this.#derive(password, { cost, salt: this.#decoySalt, length: 32 });
    }
    const imported = new Map([...this.#importedCosts.values()].map((cost) => [nameCost(cost), cost]));
    if (compared && "imported" in compared) imported.delete(nameCost(compared.imported.cost));
    for (const cost of imported.values()) {
      signal.throwIfAborted();
      await this.#deriveImported(password, cost, this.#decoySalt);
    }
  }

  /** Compares with what is known without work; the same is done where nothing is. */
  #fitsAtOnce({ username, password, stored }: PasswordAttempt): boolean {
    const isSealed = stored !== undefined && "sealed" in stored;
    const kept = isSealed ? stored.sealed : this.#remembered.get(username);
    const given = isSealed ? this.#seal(username, password) : this.#identify(username, password, stored);
    const fits = equalDigests(given, kept ?? this.#nothing) && kept !== undefined && stored !== undefined;
    if (fits && !isSealed) this.#remember(username, kept);
    return fits;
  }

  #remember(username: string, digest: Uint8Array): void {
    this.#remembered.delete(username);
    this.#remembered.set(username, digest);
    if (this.#remembered.size <= this.#maxRemembered) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }

  #seal(username: string, password: string): Uint8Array {
    return computeKeyedDigest(this.#key, ["sealed", username, password]);
  }

  #identify(username: string, password: string, stored: StoredHash | undefined): Uint8Array {
    const text = stored === undefined ? "" : ("hash" in stored ? stored.hash : stored.imported).text;
    return computeKeyedDigest(this.#key, ["remembered", username, text, password]);
  }
}

/** One text for each scheme and cost. */
function nameCost(cost: ImportedCost): string {
  return cost.scheme === "bcrypt" ? `bcrypt ${cost.rounds}` : `argon2id ${cost.m} ${cost.t} ${cost.p} ${cost.length}`;
}

/** Returns whether two scrypt digests take the same work. */
export function equalCosts(one: ScryptCost, other: ScryptCost): boolean {
  return one.ln === other.ln && one.r === other.r && one.p === other.p;
}
