/**
 * Addresses that have failed to log in too often, over all their sessions.
 *
 * @module
 */

import { addressBlock } from "../protocol/host_port.ts";
import type { Settings } from "../settings/settings.ts";
import type { Ban } from "./bans.ts";
import type { KeptOffender, OffenderStore } from "./offenders.ts";
import { AddressCounts, type AddressPolicy, type ConnectionLimits } from "./address_counts.ts";
import { SharedTable } from "./shared_table.ts";
import type { TableKey } from "./table_records.ts";

/** Most addresses that are kept in mind. */
const MAX_LIST = 10_000;

interface Offender {
  readonly key: TableKey;
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

type Options = Omit<Settings["ban"], "never"> & { readonly never: ReadonlySet<string> };

/** What a {@linkcode LoginThrottle} works with. */
export interface LoginThrottleOptions {
  /** Where it counts what is being checked; absent: by itself. */
  readonly counts?: AddressCounts;
  /** Returns the time in milliseconds; a clock that is never set. */
  readonly now?: () => number;
  /** Keeps failures and bans beyond the process. */
  readonly store?: OffenderStore | undefined;
  /** Told that the store has failed; what it should have kept holds until the process ends. Must not throw. */
  readonly onStoreFailure?: ((cause: unknown) => void) | undefined;
}

const NO_LIMITS: ConnectionLimits = { connections: 0, connectionsPerAddress: 0, connectionsBeforeLogin: 0 };

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
 *
 * What is being checked is in the memory of all event loops, with what each of them needs to begin a check by itself: of an
 * address that is not banned, and has failures left. This one alone knows failures, and who waits.
 */
export class LoginThrottle {
  readonly #offenders = new Map<string, Offender>();
  /** Wakes those who wait for an attempt to end, in the order in which they came. */
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #counts: AddressCounts;
  readonly #now: () => number;
  readonly #store: OffenderStore | undefined;
  readonly #onStoreFailure: (cause: unknown) => void;
  #limits = NO_LIMITS;
  #options: Options;

  /** Starts with whom the store has, or with nobody banned. */
  constructor(ban: Settings["ban"], options: LoginThrottleOptions = {}) {
    this.#options = resolveOptions(ban);
    this.#counts = options.counts ?? new AddressCounts(new SharedTable());
    this.#now = options.now ?? (() => performance.now());
    this.#store = options.store;
    this.#onStoreFailure = options.onStoreFailure ?? (() => {});
    this.#storing((store) => this.#load(store.load()));
    this.configure(ban);
  }

  /**
   * Uses other options from now on, in all event loops; bans that hold go on, except of addresses that are now never banned.
   *
   * @param limits Limits of connections that are to hold with them; absent: as before.
   */
  configure(ban: Settings["ban"], limits: ConnectionLimits = this.#limits): void {
    this.#options = resolveOptions(ban);
    this.#limits = limits;
    const offenders = [...this.#offenders];
    const policies = offenders.map(([block, offender]) => [offender.key, this.#policyOf(block, offender)] as const);
    this.#counts.configure(limits, this.#options.failures || Infinity, policies);
  }

  /** Returns whether an address is banned now. */
  isBanned(host: string): boolean {
    const block = addressBlock(host);
    const offender = this.#offenders.get(block);
    const isBanned = this.#isBanned(block, offender);
    // A ban ends by itself, which the others find out here.
    if (offender !== undefined && !isBanned) this.#counts.setPolicy(offender.key, this.#policyOf(block, offender));
    return isBanned;
  }

  /** Who is banned now. */
  list(): readonly Ban[] {
    const now = this.#now();
    return [...this.#offenders].filter(([block, offender]) => this.#isBanned(block, offender))
      .map(([address, { bannedUntil }]) => ({ address, seconds: (bannedUntil - now) / 1000 }));
  }

  /** Bans an address; one that is never banned stays free. */
  ban(host: string, seconds: number): void {
    const block = addressBlock(host);
    const offender = { key: this.#counts.keyOf(host), failures: [], bannedUntil: this.#now() + seconds * 1000 };
    this.#keep(block, offender);
    this.#counts.setPolicy(offender.key, this.#policyOf(block, offender));
    this.wake(host);
  }

  /** Ends a ban and forgets the failures; returns whether there was one. */
  lift(host: string): boolean {
    const block = addressBlock(host);
    const offender = this.#offenders.get(block);
    if (offender === undefined) return false;
    const wasBanned = this.#isBanned(block, offender);
    this.#forget(block, offender);
    this.wake(host);
    return wasBanned;
  }

  /**
   * Begins to check a password, which counts from now on; when all failures that are left may come of those before it, it
   * waits for them.
   *
   * @returns `undefined` when the address is banned, at once or when its turn has come.
   * @throws The reason of `signal` when it aborts before; then nothing is counted.
   * @throws {SharedTableError}
   */
  async beginAttempt(host: string, signal: AbortSignal): Promise<LoginAttempt | undefined> {
    const key = this.#counts.keyOf(host);
    if (this.#counts.beginAttempt(key)) return this.#attempt(host, key);
    const block = addressBlock(host);
    while (!this.isBanned(host)) {
      // What the table has may be too few: failures are forgotten, and some addresses are never banned.
      const maxAttempts = this.#failuresLeft(block, this.#offenders.get(block));
      if (this.#counts.beginAttempt(key, { maxAttempts, waits: true })) return this.#attempt(host, key);
      await this.#waitForEnd(block, signal);
    }
    return undefined;
  }

  /**
   * Ends an attempt as a failure, which may have begun in another event loop.
   *
   * @returns Length of the ban in seconds when this was the failure that brought it.
   */
  failAttempt(host: string): number | undefined {
    const block = addressBlock(host);
    const key = this.#counts.keyOf(host);
    const bannedForSeconds = this.#countFailure(block, key);
    const offender = this.#offenders.get(block);
    this.#counts.failAttempt(key, offender && this.#policyOf(block, offender));
    this.wake(host);
    return bannedForSeconds;
  }

  /** Lets those who wait for an attempt of an address look again: one has ended. */
  wake(host: string): void {
    const block = addressBlock(host);
    const woken = this.#waiting.get(block) ?? [];
    this.#waiting.delete(block);
    for (const wake of woken) wake();
  }

  #attempt(host: string, key: TableKey): LoginAttempt {
    return createAttempt({
      giveBack: () => this.#counts.endAttempt(key, () => this.wake(host)),
      fail: () => this.failAttempt(host),
    });
  }

  /** Counts a failed login, unless the address is banned already; the length of the ban in seconds when it has brought one. */
  #countFailure(block: string, key: TableKey): number | undefined {
    const { failures: most, window, duration, never } = this.#options;
    const offender = this.#offenders.get(block);
    if (most === 0 || never.has(block) || this.#holds(offender)) return undefined;
    const now = this.#now();
    const since = now - window * 1000;
    const failures = [...offender?.failures.filter((time) => time > since) ?? [], now];
    const isOver = failures.length >= most;
    this.#keep(
      block,
      isOver ? { key, failures: [], bannedUntil: now + duration * 1000 } : { key, failures, bannedUntil: 0 },
    );
    return isOver ? duration : undefined;
  }

  #isBanned(block: string, offender: Offender | undefined): boolean {
    return this.#holds(offender) && !this.#options.never.has(block);
  }

  #holds(offender: Offender | undefined): boolean {
    return offender !== undefined && offender.bannedUntil > this.#now();
  }

  /** What the other event loops have to know of an address. */
  #policyOf(block: string, offender: Offender): AddressPolicy {
    const maxAttempts = this.#failuresLeft(block, offender);
    const isAsOthers = maxAttempts >= (this.#options.failures || Infinity);
    return { isBanned: this.#isBanned(block, offender), ...!isAsOthers && { maxAttempts } };
  }

  /** How many more may fail before the ban, at least 1. */
  #failuresLeft(block: string, offender: Offender | undefined): number {
    const { failures: most, window, never } = this.#options;
    if (most === 0 || never.has(block)) return Infinity;
    const since = this.#now() - window * 1000;
    const failures = offender?.failures.filter((time) => time > since) ?? [];
    return Math.max(1, most - failures.length);
  }

  /** Puts an entry at the end, so that the first one is the one quiet longest. */
  #keep(block: string, offender: Offender): void {
    this.#offenders.delete(block);
    if (this.#offenders.size >= MAX_LIST) this.#forgetOne();
    this.#offenders.set(block, offender);
    const offset = this.#offsetOfClock();
    const failures = offender.failures.map((time) => time + offset);
    const bannedUntil = offender.bannedUntil === 0 ? 0 : offender.bannedUntil + offset;
    this.#storing((store) => store.save({ address: block, failures, bannedUntil }));
  }

  /**
   * Takes over what an earlier run has kept. The clock of the host may have been set meanwhile: no ban lasts longer for that, and
   * no failure is in the future.
   */
  #load(kept: readonly KeptOffender[]): void {
    const now = this.#now();
    const offset = this.#offsetOfClock();
    const { window, duration } = this.#options;
    for (const { address, failures, bannedUntil } of kept) {
      const until = Math.min(bannedUntil - offset, now + duration * 1000);
      const times = failures.map((time) => Math.min(time - offset, now)).filter((time) => time > now - window * 1000);
      const isBanned = until > now;
      if (!isBanned && times.length === 0) this.#storing((store) => store.forget(address));
      else if (this.#offenders.size < MAX_LIST) {
        const key = this.#counts.keyOf(address);
        this.#offenders.set(address, { key, failures: times, bannedUntil: isBanned ? until : 0 });
      }
    }
  }

  /** What makes a time of the throttle's clock one since 1970. */
  #offsetOfClock(): number {
    return Date.now() - this.#now();
  }

  #storing(work: (store: OffenderStore) => void): void {
    if (this.#store === undefined) return;
    try {
      work(this.#store);
    } catch (error) {
      this.#onStoreFailure(error);
    }
  }

  #forgetOne(): void {
    const [oldest] = this.#offenders.keys();
    const free = this.#offenders.entries().find(([, offender]) => !this.#holds(offender))?.[0];
    const forgotten = free ?? oldest;
    const offender = forgotten === undefined ? undefined : this.#offenders.get(forgotten);
    if (forgotten !== undefined && offender !== undefined) this.#forget(forgotten, offender);
  }

  #forget(block: string, { key }: Offender): void {
    this.#offenders.delete(block);
    this.#storing((store) => store.forget(block));
    this.#counts.setPolicy(key, { isBanned: false });
  }

  #waitForEnd(block: string, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(block) ?? new Set();
    this.#waiting.set(block, waiting);
    return waitForEnd(waiting, signal);
  }
}

/** An attempt that ends once, by what happens first. */
export function createAttempt<Result>(
  { giveBack, fail }: { readonly giveBack: () => void; readonly fail: () => Result },
): Disposable & { giveBack(): void; fail(): Result | undefined } {
  let hasEnded = false;
  const end = <Answer>(count: () => Answer): Answer | undefined => {
    if (hasEnded) return undefined;
    hasEnded = true;
    return count();
  };
  return { giveBack: () => end(giveBack), fail: () => end(fail), [Symbol.dispose]: () => void end(fail) };
}

function waitForEnd(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
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
