/**
 * Addresses that have failed to log in too often, over all their sessions.
 *
 * @module
 */

import { addressBlock } from "../protocol/host_port.ts";
import type { Settings } from "../settings/settings.ts";

/** Most addresses that are kept in mind. */
const MAX_LIST = 10_000;

interface Offender {
  /** Times of the failures that count. */
  readonly failures: readonly number[];
  readonly bannedUntil: number;
}

/**
 * A password that is being checked. It counts as a failure from its beginning on; only one that was right, or that nobody
 * has looked at, is given back. Disposing of it is its failure, unless it has ended before.
 */
export interface LoginAttempt extends Disposable {
  /** It counts as nothing. */
  giveBack(): void;
  /**
   * It counts for good.
   *
   * @returns Length of the ban in seconds when this was the failure that brought it.
   */
  fail(): number | undefined;
}

/** Passwords of one address that are being checked. */
interface Attempts {
  running: number;
  /** Wakes those who wait for one to end, in the order in which they came. */
  readonly waiting: Set<() => void>;
}

type Options = Omit<Settings["ban"], "never"> & { readonly never: ReadonlySet<string> };

/**
 * Counts failed logins by address, of IPv6 by /64, and bans for a time. A ban ends by itself, with all failures forgotten;
 * nothing needs to be cleaned up. An address that logs in is not forgiven what it did before, so that one good account is
 * no licence to guess others.
 *
 * It keeps 10,000 addresses in mind. Beyond them it forgets the one that has been quiet longest, a banned one only when all
 * are.
 *
 * A password counts as soon as it begins to be checked, whether its client waits for the answer or not, and an address has no
 * more of them checked at once than it has failures left: guesses that are made all together, or cut short, are no more than
 * guesses one by one.
 */
export class LoginThrottle {
  readonly #offenders = new Map<string, Offender>();
  readonly #attempts = new Map<string, Attempts>();
  readonly #now: () => number;
  #options: Options;

  /**
   * Starts with nobody banned.
   *
   * @param now Returns the time in milliseconds; a clock that is never set.
   */
  constructor(options: Settings["ban"], now: () => number = () => performance.now()) {
    this.#options = resolveOptions(options);
    this.#now = now;
  }

  /** Uses other options from now on; bans that hold go on, except of addresses that are now never banned. */
  configure(options: Settings["ban"]): void {
    this.#options = resolveOptions(options);
  }

  /** Returns whether an address is banned now. */
  isBanned(host: string): boolean {
    const block = addressBlock(host);
    return this.#holds(this.#offenders.get(block)) && !this.#options.never.has(block);
  }

  /**
   * Begins to check a password, which counts from now on; when all failures that are left may come of those before it, it
   * waits for them.
   *
   * @returns `undefined` when the address is banned, at once or when its turn has come.
   * @throws The reason of `signal` when it aborts before; then nothing is counted.
   */
  async beginAttempt(host: string, signal: AbortSignal): Promise<LoginAttempt | undefined> {
    const block = addressBlock(host);
    while (!this.isBanned(host)) {
      const attempts = this.#attempts.get(block) ?? { running: 0, waiting: new Set() };
      if (attempts.running < this.#failuresLeft(block)) {
        attempts.running++;
        this.#attempts.set(block, attempts);
        return this.#attempt(block, attempts);
      }
      await waitForEnd(attempts, signal);
    }
    return undefined;
  }

  #attempt(block: string, attempts: Attempts): LoginAttempt {
    let hasEnded = false;
    const end = <Result>(count: () => Result): Result | undefined => {
      if (hasEnded) return undefined;
      hasEnded = true;
      const result = count(); // before somebody else takes the place
      this.#endAttempt(block, attempts);
      return result;
    };
    const fail = () => end(() => this.#countFailure(block));
    return { fail, giveBack: () => void end(() => {}), [Symbol.dispose]: () => void fail() };
  }

  /** Counts a failed login, unless the address is banned already; the length of the ban in seconds when it has brought one. */
  #countFailure(block: string): number | undefined {
    const { failures: most, window, duration, never } = this.#options;
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
    const woken = [...attempts.waiting];
    attempts.waiting.clear();
    for (const wake of woken) wake(); // they look again
  }

  /** Puts an entry at the end, so that the first one is the one quiet longest. */
  #keep(block: string, offender: Offender): void {
    this.#offenders.delete(block);
    if (this.#offenders.size >= MAX_LIST) this.#forgetOne();
    this.#offenders.set(block, offender);
  }

  #forgetOne(): void {
    const [oldest] = this.#offenders.keys();
    const free = this.#offenders.entries().find(([, offender]) => !this.#holds(offender))?.[0];
    const forgotten = free ?? oldest;
    if (forgotten !== undefined) this.#offenders.delete(forgotten);
  }
}

function waitForEnd({ waiting }: Attempts, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const wake = () => {
      signal.removeEventListener("abort", abandon);
      resolve();
    };
    const abandon = () => {
      waiting.delete(wake);
      reject(signal.reason);
    };
    if (signal.aborted) return abandon();
    signal.addEventListener("abort", abandon, { once: true });
    waiting.add(wake);
  });
}

function resolveOptions({ never, ...options }: Settings["ban"]): Options {
  return { ...options, never: new Set(never.map(addressBlock)) };
}
