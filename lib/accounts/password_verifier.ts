/**
 * Checking passwords without telling more than right or wrong, and without being worn out by it.
 *
 * - **Equal work.** A failing check computes one digest for each distinct scheme and cost among the users, whoever it
 *   is for: the user's own hash for its cost, decoys for the others, only decoys for a user that does not exist or whose
 *   password was given in clear text. So neither time nor load tells whether a name exists. Where nobody says which costs
 *   there are, they are those of the hashes that were checked last.
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

import {
  type Argon2Cost,
  type BcryptCost,
  computeKeyedDigest,
  deriveDigest,
  deriveImportedDigest,
  equalDigests,
  type HashCost,
  type ScryptParameters,
} from "./password_digest.ts";
import { DEFAULT_SCRYPT_COST, parsePasswordHash, type PasswordHash, type StoredPassword } from "./password_hash.ts";
import type { MaybePromise } from "../shared_port.ts";
import { runInPlace, type WorkPlaces, WorkQueue } from "./work_queue.ts";

/** How many costs are known of hashes that were checked; each takes its work in every failing login. */
const MAX_SHOWN_COSTS = 8;

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
   * Computes a digest of argon2id or bcrypt.
   *
   * @default deriveImportedDigest
   */
  readonly deriveImported?: (password: string, cost: Argon2Cost | BcryptCost, salt: Uint8Array) => Promise<Uint8Array>;
  /**
   * Where checks wait for their turn, together with those of other verifiers; `maxRunning` and `maxWaiting` mean nothing
   * then.
   *
   * @default a queue of its own
   */
  readonly places?: WorkPlaces;
}

/** What is to be checked. */
export interface PasswordAttempt {
  /** The name that the client gave. */
  readonly username: string;
  /** The password that the client gave. */
  readonly password: string;
  /** The password of this user, or `undefined` when there is no such user. */
  readonly stored: StoredPassword | undefined;
  /**
   * Returns whether the user is still what it was at this attempt. What is remembered of a success counts only while it is.
   *
   * @default {it always is}
   */
  readonly isCurrent?: (() => boolean) | undefined;
  /**
   * Asked once the password is right: whether what goes with it is right, too. If not, it is a wrong password in all that can be
   * seen from outside. Nothing is remembered then, nor is anything that was: the one who is asked does that.
   *
   * @default {nothing goes with it}
   */
  readonly confirm?: (() => MaybePromise<boolean>) | undefined;
}

/** How an attempt is to be checked. */
export interface PasswordAttemptOptions {
  /**
   * The distinct costs among the users' hashes.
   *
   * @default {those of the hashes that were checked last, at most 8; before any, that of `hashPassword()`}
   */
  readonly costs?: readonly HashCost[] | undefined;
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Who asks; those who ask take turns. @default {""} */
  readonly owner?: string;
}

/**
 * Checks passwords against what is stored of them: with the same work for names that do not exist, few at once, and sooner
 * where a success is remembered. For an `Authorizer` of a program's own; `PasswordAuthorizer` has one.
 *
 * @example
 * ```ts
 * import { hashPassword, PasswordVerifier, StoredPassword, verifyPassword } from "@ftpsd/ftpsd";
 *
 * const users = new Map([["alice", new StoredPassword(await hashPassword("correct horse", { ln: 10 }))]]);
 * const verifier = new PasswordVerifier();
 * const { signal } = new AbortController();
 *
 * const attempt = { username: "alice", password: "correct horse", stored: users.get("alice") };
 * console.assert(await verifier.verify(attempt, { signal }));
 * console.assert(!await verifier.verify({ ...attempt, username: "bob", stored: users.get("bob") }, { signal }));
 * ```
 */
export class PasswordVerifier {
  readonly #fits: (password: string, hash: PasswordHash) => Promise<boolean>;
  readonly #places: WorkPlaces;
  readonly #maxRemembered: number;
  readonly #key = crypto.getRandomValues(new Uint8Array(32));
  /** Stands for the digest of a success where none is remembered. */
  readonly #nothing = crypto.getRandomValues(new Uint8Array(32));
  readonly #decoySalt = crypto.getRandomValues(new Uint8Array(16));
  /** Each user's last success; the least recently used one comes first. */
  readonly #remembered = new Map<string, Success>();
  /** Costs of the hashes that were checked last, by their names. */
  readonly #shownCosts = new Map<string, HashCost>();

  /**
   * Makes a verifier with a random key of its own.
   *
   * @throws {RangeError} When a bound is out of range.
   */
  constructor(options: PasswordVerifierOptions = {}) {
    const { maxRunning = 2, maxWaiting = 512, maxRemembered = 1024, derive, deriveImported } = options;
    if (!Number.isInteger(maxRemembered) || maxRemembered < 0) {
      throw new RangeError(`Cannot remember ${maxRemembered} successes: it must be a whole number from 0 on`);
    }
    this.#fits = (password, hash) => fitsHash(password, hash, derive, deriveImported);
    this.#places = options.places ?? new WorkQueue({ maxRunning, maxWaiting });
    this.#maxRemembered = maxRemembered;
  }

  /**
   * Returns whether the password is right. A check that has begun goes on when `signal` aborts, unheard.
   *
   * @throws {AuthorizerBusyError} When too many checks wait already.
   * @throws The reason of `options.signal` when it aborts.
   */
  async verify(attempt: PasswordAttempt, options: PasswordAttemptOptions): Promise<boolean> {
    options.signal.throwIfAborted();
    const costs = options.costs ?? this.#costsWith(attempt.stored?.hash?.cost);
    if (this.#fitsAtOnce(attempt)) return true;
    return await runInPlace(this.#places, () => this.#verifyInTurn(attempt, costs, options.signal), options);
  }

  async #verifyInTurn(attempt: PasswordAttempt, costs: readonly HashCost[], signal: AbortSignal): Promise<boolean> {
    // Somebody ahead in the queue may have come with the same user and password.
    if (this.#fitsAtOnce(attempt)) return true;
    const { username, password, stored, isCurrent, confirm } = attempt;
    const hash = stored?.hash;
    if (confirm !== undefined) {
      const fits = hash ? await this.#fits(password, hash) : stored?.fitsClearText(password);
      if (fits && await confirm()) return true;
    } else if (hash && await this.#fits(password, hash)) {
      const success = { digest: this.#identify(username, password, hash), isCurrent };
      setLast(this.#remembered, username, success, this.#maxRemembered);
      return true;
    }
    this.#remembered.delete(username);
    await this.#computeDecoys(password, hash, costs, signal);
    return false;
  }

  /** Does the work of every cost but that of the hash that was compared. */
  async #computeDecoys(
    password: string,
    compared: PasswordHash | undefined,
    costs: readonly HashCost[],
    signal: AbortSignal,
  ): Promise<void> {
    for (const cost of distinctCosts(costs)) {
      if (compared && nameCost(compared.cost) === nameCost(cost)) continue;
      signal.throwIfAborted();
      await this.#fits(password, { text: "", cost, salt: this.#decoySalt, digest: this.#nothing });
    }
  }

  /** Compares with what is known without work; the same is done where nothing is. */
  #fitsAtOnce({ username, password, stored, confirm }: PasswordAttempt): boolean {
    if (confirm !== undefined) return false;
    if (stored !== undefined && stored.hash === undefined) return stored.fitsClearText(password);
    const success = this.#remembered.get(username);
    const given = this.#identify(username, password, stored?.hash);
    const isSame = equalDigests(given, success?.digest ?? this.#nothing);
    const fits = isSame && success !== undefined && stored !== undefined && success.isCurrent?.() !== false;
    if (fits) setLast(this.#remembered, username, success, this.#maxRemembered);
    return fits;
  }

  #identify(username: string, password: string, hash: PasswordHash | undefined): Uint8Array {
    return computeKeyedDigest(this.#key, [username, hash?.text ?? "", password]);
  }

  /** The costs to do the work of where nobody says which there are. */
  #costsWith(cost: HashCost | undefined): readonly HashCost[] {
    if (cost !== undefined) setLast(this.#shownCosts, nameCost(cost), cost, MAX_SHOWN_COSTS);
    return this.#shownCosts.size > 0 ? [...this.#shownCosts.values()] : [{ scheme: "scrypt", ...DEFAULT_SCRYPT_COST }];
  }
}

/**
 * Returns whether a password is that of a hash of scrypt, as `hashPassword()` makes it, argon2id or bcrypt. It takes the
 * time and memory that the hash says; `PasswordVerifier` bounds how many are checked at once, does the same work for unknown
 * users, and remembers successes, which this does not.
 *
 * @returns Whether it fits; an empty password never does.
 * @throws {SyntaxError} When the hash is of another scheme, has not the right form, or its cost is out of range.
 *
 * @example
 * ```ts
 * import { hashPassword, verifyPassword } from "@ftpsd/ftpsd";
 *
 * const hash = await hashPassword("correct horse battery staple", { ln: 10 });
 * console.assert(await verifyPassword("correct horse battery staple", hash));
 * ```
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  return await fitsHash(password, parsePasswordHash(hash));
}

/** A login that succeeded. */
interface Success {
  /** Of user, hash and password. */
  readonly digest: Uint8Array;
  readonly isCurrent: (() => boolean) | undefined;
}

/** Does the work of comparing also for an empty password, which fits nothing. */
async function fitsHash(
  password: string,
  { cost, salt, digest }: PasswordHash,
  derive = deriveDigest,
  deriveImported = deriveImportedDigest,
): Promise<boolean> {
  const given = cost.scheme === "scrypt"
    ? await derive(password, { cost, salt, length: digest.length })
    : await deriveImported(password, cost, salt);
  return equalDigests(given, digest) && password !== "";
}

/** Gives each cost once. */
export function distinctCosts(costs: readonly HashCost[]): readonly HashCost[] {
  return [...new Map(costs.map((cost) => [nameCost(cost), cost])).values()];
}

/** One text for each scheme and cost. */
function nameCost(cost: HashCost): string {
  if (cost.scheme === "bcrypt") return `bcrypt ${cost.rounds}`;
  if (cost.scheme === "scrypt") return `scrypt ${cost.ln} ${cost.r} ${cost.p}`;
  return `argon2id ${cost.m} ${cost.t} ${cost.p} ${cost.length}`;
}

/** Sets an entry as the last one; beyond a number of entries the first goes. */
function setLast<Value>(map: Map<string, Value>, key: string, value: Value, max: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= max) return;
  const [first] = map.keys();
  if (first !== undefined) map.delete(first);
}
