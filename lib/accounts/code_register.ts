/**
 * Codes that were used, so that nobody uses one again; and logins with them that still count for a while, for clients that open
 * several sessions.
 *
 * @module
 */

import type { MaybePromise, SharedMethods } from "../shared_port.ts";
import type { StateRecords } from "../state/records.ts";

/** A code with the password that goes before it. */
export interface CodeUse {
  /** Name of the account. */
  readonly account: string;
  /** Which one of all that the account ever has: its period, since 1970. `undefined`: none that fits now. */
  readonly step: number | undefined;
  /** Length of a period, in seconds. */
  readonly periodSeconds: number;
  /** One text for the account, what was given, and the address. Nobody can make it who has not all of them. */
  readonly identity: string;
  /** How long the same counts, in seconds; 0: not at all. */
  readonly rememberSeconds: number;
}

/** Where codes are used up, which one event loop has for all. */
export interface CodeRegister {
  /** Returns whether what was given has been right before, and still counts. */
  recalls(account: string, identity: string): MaybePromise<boolean>;
  /**
   * Uses a code up whose password was right, and remembers that it was right, too. One that does not fit counts: after many, none
   * of the account is right for a while, so that a password that somebody knows is worth no more from many addresses.
   *
   * @returns Whether it fits, and nobody has used it before, or whoever has is the same.
   * @throws When what is kept of codes is out of reach.
   */
  use(code: CodeUse): MaybePromise<boolean>;
}

/** What event loops share of it. */
export const SHARED_CODE_REGISTER: SharedMethods<CodeRegister> = { recalls: {}, use: {} };

/** Options of {@linkcode UsedCodes}. */
export interface UsedCodesOptions {
  /**
   * Where used codes outlive the process.
   *
   * @default {in memory: then a code that may have been used before the process began is refused}
   */
  readonly records?: Pick<StateRecords, "add"> | undefined;
  /** Most logins that are remembered. @default {1024} */
  readonly maxRemembered?: number;
  /** Clock, in milliseconds since 1970. @default {Date.now} */
  readonly now?: () => number;
  /** Clock that is never set, in milliseconds. @default {performance.now} */
  readonly monotonicNow?: () => number;
}

/** Space of the records. */
const SPACE = "used-codes";
/** Longer than any code fits, also on nodes whose clocks differ, or on one whose clock is set back. */
const KEEP_MS = 86_400_000;
/** Most used codes in memory; those used first go first, long after they have ceased to fit. */
const MAX_USED = 100_000;
/** By so many periods a code may be early or late, on the clock of the server. */
export const MAX_DRIFT_STEPS = 1;

/** So many codes that do not fit in this time, and none is right until it is over: a chance of one in 200 a day, at most. */
const MAX_MISSES = 10;
const MISS_WINDOW_MS = 600_000;
/** Most accounts whose misses are counted; whoever is counted there knows a password. */
const MAX_MISSED_ACCOUNTS = 10_000;

/** Codes that did not fit. */
interface Misses {
  readonly count: number;
  readonly until: number;
}

interface Remembered {
  readonly account: string;
  readonly until: number;
}

/** Registers codes for all event loops. What it remembers of logins is in memory alone. */
export class UsedCodes implements CodeRegister {
  readonly #add: (key: string) => MaybePromise<boolean>;
  /** When the process began to take codes, where nothing outlives it. */
  readonly #startedAt: number;
  readonly #maxRemembered: number;
  readonly #monotonicNow: () => number;
  /** By identity; the oldest comes first. */
  readonly #remembered = new Map<string, Remembered>();
  /** Uses that are under way, by identity. */
  readonly #using = new Map<string, Promise<boolean>>();
  readonly #used = new Set<string>();
  /** By account; those that were first to miss come first. */
  readonly #misses = new Map<string, Misses>();

  /** Makes a register in which nothing was used yet. */
  constructor(options: UsedCodesOptions = {}) {
    const { records, maxRemembered = 1024, now = Date.now, monotonicNow = () => performance.now() } = options;
    this.#maxRemembered = maxRemembered;
    this.#monotonicNow = monotonicNow;
    this.#startedAt = records === undefined ? now() : -Infinity;
    this.#add = records === undefined
      ? (key) => this.#addInMemory(key)
      : (key) => records.add(SPACE, key, "", { expiresAt: now() + KEEP_MS });
  }

  recalls(account: string, identity: string): boolean {
    const remembered = this.#remembered.get(identity);
    return remembered?.account === account && remembered.until > this.#monotonicNow();
  }

  async use(code: CodeUse): Promise<boolean> {
    const { account, identity } = code;
    if (this.recalls(account, identity)) return true;
    // Of the sessions that a client opens at once one uses the code, and the others wait for what comes of it.
    const running = code.rememberSeconds > 0 ? this.#using.get(identity) : undefined;
    if (running !== undefined) return await running;
    const use = this.#use(code).finally(() => this.#using.delete(identity));
    this.#using.set(identity, use);
    return await use;
  }

  /** Forgets the logins of an account, so that each needs a code again. */
  forget(account: string): void {
    for (const [identity, remembered] of this.#remembered) {
      if (remembered.account === account) this.#remembered.delete(identity);
    }
  }

  /** The same of all accounts. */
  forgetAll(): void {
    this.#remembered.clear();
  }

  async #use({ account, step, periodSeconds, identity, rememberSeconds }: CodeUse): Promise<boolean> {
    const misses = this.#missesOf(account);
    if (step === undefined) this.#keepMisses(account, { ...misses, count: misses.count + 1 });
    if (step === undefined || misses.count >= MAX_MISSES) return false;
    const firstStep = Math.floor(this.#startedAt / 1000 / periodSeconds);
    // One of the period that comes next may have been used, too, just before the process began.
    if (step <= firstStep + MAX_DRIFT_STEPS) return false;
    if (!await this.#add(`${periodSeconds} ${step} ${account}`)) return false;
    if (rememberSeconds > 0) {
      this.#remembered.set(identity, { account, until: this.#monotonicNow() + rememberSeconds * 1000 });
      const [oldest] = this.#remembered.keys();
      if (this.#remembered.size > this.#maxRemembered && oldest !== undefined) this.#remembered.delete(oldest);
    }
    return true;
  }

  #missesOf(account: string): Misses {
    const now = this.#monotonicNow();
    const misses = this.#misses.get(account);
    return misses !== undefined && misses.until > now ? misses : { count: 0, until: now + MISS_WINDOW_MS };
  }

  #keepMisses(account: string, misses: Misses): void {
    this.#misses.set(account, misses);
    const [oldest] = this.#misses.keys();
    if (this.#misses.size > MAX_MISSED_ACCOUNTS && oldest !== undefined) this.#misses.delete(oldest);
  }

  #addInMemory(key: string): boolean {
    if (this.#used.has(key)) return false;
    this.#used.add(key);
    const [oldest] = this.#used;
    if (this.#used.size > MAX_USED && oldest !== undefined) this.#used.delete(oldest);
    return true;
  }
}
