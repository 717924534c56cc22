/**
 * Addresses that have failed to log in too often, over all their sessions.
 *
 * @module
 */

import { addressBlock } from "../protocol/host_port.ts";

/** When an address is banned; times in seconds. */
export interface BanOptions {
  /**
   * Failed logins within the window that ban an address, at most 1000; 0: never.
   *
   * @default {10}
   */
  readonly failures?: number;
  /**
   * Time within which failures count, over 0.
   *
   * @default {600}
   */
  readonly window?: number;
  /**
   * Length of a ban, over 0.
   *
   * @default {900}
   */
  readonly duration?: number;
  /** Addresses that are never banned, of IPv6 with their /64. */
  readonly never?: readonly string[];
}

/** Most addresses that are kept in mind. */
const LARGEST_LIST = 10_000;
/** Most failures of each that are kept in mind. */
export const MAX_FAILURES = 1000;

interface Offender {
  /** Times of the failures that count. */
  readonly failures: readonly number[];
  readonly bannedUntil: number;
}

/** Passwords of one address that are being checked. */
interface Attempts {
  running: number;
  /** Resolves when the next check has ended. */
  ended: PromiseWithResolvers<void>;
}

type Options = Required<Omit<BanOptions, "never">> & { readonly never: ReadonlySet<string> };

/**
 * Counts failed logins by address, of IPv6 by /64, and bans for a time. A ban ends by itself, with all failures forgotten;
 * nothing needs to be cleaned up. An address that logs in is not forgiven what it did before, so that one good account is
 * no licence to guess others.
 *
 * It keeps 10,000 addresses in mind. Beyond them it forgets the one that has been quiet longest, a banned one only when all
 * are.
 *
 * An address has no more passwords checked at once than it has failures left: guesses that are made all together are no
 * more than guesses one by one.
 */
export class LoginThrottle {
  readonly #offenders = new Map<string, Offender>();
  readonly #attempts = new Map<string, Attempts>();
  readonly #now: () => number;
  #options: Options;

  /**
   * Starts with nobody banned.
   *
   * @param now Tells the time in milliseconds; a clock that is never set.
   * @throws {RangeError} When an option is out of range.
   */
  constructor(options: BanOptions = {}, now: () => number = () => performance.now()) {
    this.#options = resolveOptions(options);
    this.#now = now;
  }

  /**
   * Uses other options from now on; bans that hold go on, except of addresses that are now never banned.
   *
   * @throws {RangeError} When an option is out of range; then nothing changes.
   */
  configure(options: BanOptions): void {
    this.#options = resolveOptions(options);
  }

  /** Tells whether an address is banned now. */
  isBanned(host: string): boolean {
    const block = addressBlock(host);
    return this.#holds(this.#offenders.get(block)) && !this.#options.never.has(block);
  }

  /**
   * Takes a place for a password to be checked, until it is disposed of; when all failures that are left may come of those
   * before it, it waits for them. A failure is to be counted before the place is given back.
   *
   * @returns `undefined` when the address is banned, at once or when its turn has come.
   */
  async beginAttempt(host: string): Promise<Disposable | undefined> {
    const block = addressBlock(host);
    while (!this.isBanned(host)) {
      const attempts = this.#attempts.get(block) ?? { running: 0, ended: Promise.withResolvers<void>() };
      if (attempts.running < this.#failuresLeft(block)) {
        attempts.running++;
        this.#attempts.set(block, attempts);
        return { [Symbol.dispose]: () => this.#endAttempt(block, attempts) };
      }
      await attempts.ended.promise;
    }
    return undefined;
  }

  /**
   * Counts a failed login, unless the address is banned already.
   *
   * @returns Length of the ban in seconds when this was the failure that brought it.
   */
  countFailure(host: string): number | undefined {
    const { failures: most, window, duration, never } = this.#options;
    const block = addressBlock(host);
    const offender = this.#offenders.get(block);
    if (most === 0 || never.has(block) || this.#holds(offender)) return undefined;
    const now = this.#now();
    const since = now - window * 1000;
    const failures = [...offender?.failures.filter((time) => time > since) ?? [], now];
    const isOver = failures.length >= most;
    this.#keep(block, isOver ? { failures: [], bannedUntil: now + duration * 1000 } : { failures, bannedUntil: 0 });
    return isOver ? duration : undefined;
  }

  #holds(offender: Offender | undefined): boolean {
    return offender !== undefined && offender.bannedUntil > this.#now();
  }

  /** How many more may fail before the ban, at least 1. */
  #failuresLeft(block: string): number {
    const { failures: most, window, never } = this.#options;
    if (most === 0 || never.has(block)) return Infinity;
    const since = this.#now() - window * 1000;
    const failures = this.#offenders.get(block)?.failures.filter((time) => time > since) ?? [];
    return Math.max(1, most - failures.length);
  }

  #endAttempt(block: string, attempts: Attempts): void {
    attempts.running--;
    if (attempts.running === 0) this.#attempts.delete(block);
    const { ended } = attempts;
    attempts.ended = Promise.withResolvers<void>();
    ended.resolve(); // those who wait look again, in the order in which they came
  }

  /** Puts an entry at the end, so that the first one is the one quiet longest. */
  #keep(block: string, offender: Offender): void {
    this.#offenders.delete(block);
    if (this.#offenders.size >= LARGEST_LIST) this.#forgetOne();
    this.#offenders.set(block, offender);
  }

  #forgetOne(): void {
    const [oldest] = this.#offenders.keys();
    const free = this.#offenders.entries().find(([, offender]) => !this.#holds(offender))?.[0];
    const forgotten = free ?? oldest;
    if (forgotten !== undefined) this.#offenders.delete(forgotten);
  }
}

function resolveOptions(options: BanOptions): Options {
  const { failures = 10, window = 600, duration = 900, never = [] } = options;
  if (!Number.isInteger(failures) || failures < 0 || failures > MAX_FAILURES) {
    throw new RangeError(`Cannot ban after ${failures} failures: it must be a whole number from 0 to ${MAX_FAILURES}`);
  }
  if (!(window > 0)) throw new RangeError(`Cannot count failures within ${window} seconds: it must be over 0`);
  if (!(duration > 0)) throw new RangeError(`Cannot ban for ${duration} seconds: it must be over 0`);
  return { failures, window, duration, never: new Set(never.map(addressBlock)) };
}
