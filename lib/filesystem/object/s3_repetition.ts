/**
 * When a request that has failed is sent again.
 *
 * @module
 */

/** How often a request is tried, and how soon. */
export interface RepetitionOptions {
  /** How often a request is tried. */
  readonly maxAttempts: number;
  /** Longest wait before the second attempt in milliseconds; each one later has twice of it. */
  readonly backoffMs: number;
  /** Milliseconds after which it is not tried again. */
  readonly retryMs: number;
}

/** No wait is longer. */
const MAX_BACKOFF_MS = 5000;

/** How often a request has been tried, and whether it may be tried again. */
export class Repetition {
  /** Whether an attempt may have been carried out. */
  isUncertain = false;
  readonly #options: RepetitionOptions;
  readonly #retryUntil: number;
  #attempts = 0;
  #adjustments = 0;
  #isRenewed = false;

  /** The first attempt is to begin now. */
  constructor(options: RepetitionOptions) {
    this.#options = options;
    this.#retryUntil = performance.now() + options.retryMs;
  }

  /** Counts an attempt that has failed. */
  count(isUncertain: boolean): void {
    this.#attempts++;
    this.isUncertain ||= isUncertain;
  }

  /** Whether there are attempts and time left. */
  mayRepeat(): boolean {
    return this.#attempts < this.#options.maxAttempts && performance.now() < this.#retryUntil;
  }

  /** Yes twice: what is between us and the store may have a wrong clock, too. */
  mayAdjust(): boolean {
    return this.#adjustments++ < 2;
  }

  /** Yes once. */
  mayRenew(): boolean {
    const may = !this.#isRenewed;
    this.#isRenewed = true;
    return may;
  }

  /** At random up to a bound that doubles, so that many clients do not come back together; not sooner than the store wants. */
  backoffMs(headers: Headers | undefined): number {
    const bound = Math.min(MAX_BACKOFF_MS, this.#options.backoffMs * 2 ** (this.#attempts - 1));
    const wanted = Number(headers?.get("retry-after") ?? 0) * 1000;
    return Math.max(Math.random() * bound, wanted > 0 ? Math.min(wanted, MAX_BACKOFF_MS) : 0);
  }
}
