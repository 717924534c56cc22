/**
 * Waits with an end.
 *
 * @module
 */

/** A timer that is to wait longer fires at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * Calls back once when nobody has touched it for a time. Touching costs no timer: the timer looks at the last touch when it
 * fires and sleeps on for what is left.
 */
export class Watchdog implements Disposable {
  readonly #timeoutMs: number;
  readonly #onExpired: () => void;
  readonly #isSuspended: () => boolean;
  #touchedAt = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #paused = false;

  /**
   * Starts the watch. `timeoutMs` 0 means that it never expires; fractions count.
   *
   * @param options.isSuspended Asked when the time is over; while it says yes, the watch begins anew.
   */
  constructor(timeoutMs: number, onExpired: () => void, options: { readonly isSuspended?: () => boolean } = {}) {
    this.#timeoutMs = timeoutMs;
    this.#onExpired = onExpired;
    this.#isSuspended = options.isSuspended ?? (() => false);
    this.#arm(timeoutMs);
  }

  /** Says that something has happened. */
  touch(): void {
    this.#touchedAt = performance.now();
  }

  /** Stops the time. */
  pause(): void {
    this.#paused = true;
  }

  /** Lets the time run again, from its beginning. */
  resume(): void {
    this.#paused = false;
    this.touch();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    if (this.#timeoutMs > 0) this.#timer = setTimeout(() => this.#check(), Math.min(delayMs, MAX_DELAY_MS));
  }

  #check(): void {
    const leftMs = this.#touchedAt + this.#timeoutMs - performance.now();
    if (this.#paused || this.#isSuspended()) this.#arm(this.#timeoutMs);
    else if (leftMs > 0) this.#arm(leftMs);
    else this.#expire();
  }

  /** A timer has no caller to throw to, and the runtime forgets whose it was. It does not for a promise. */
  #expire(): void {
    try {
      this.#onExpired();
    } catch (error) {
      void Promise.reject(error);
    }
  }
}

/**
 * Waits for a time.
 *
 * @throws The signal's reason, as soon as it aborts.
 */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", aborted, { once: true });
    function done(): void {
      signal.removeEventListener("abort", aborted);
      resolve();
    }
    function aborted(): void {
      clearTimeout(timer);
      reject(signal.reason);
    }
  });
}

/** Lets everything else that is ready go first: a turn of the event loop. The shortest timer would take 2 ms. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Waits for a promise no longer than until the signal aborts. What the promise does later is nobody's concern.
 *
 * @throws The promise's failure, or the signal's reason.
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
