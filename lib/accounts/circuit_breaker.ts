/**
 * Spares who does not answer: after some failures in a row nobody is asked for some seconds, then one tries.
 *
 * @module
 */

/** Bounds of a {@linkcode CircuitBreaker}. */
export interface CircuitBreakerOptions {
  /**
   * Failures in a row that open it.
   *
   * @default 5
   */
  readonly maxFailures?: number;
  /**
   * How long nobody is asked then, in milliseconds.
   *
   * @default 5000
   */
  readonly openMs?: number;
}

/** Knows whether somebody may be asked. */
export class CircuitBreaker {
  readonly #maxFailures: number;
  readonly #openMs: number;
  #failures = 0;
  /** When the next one may try, by `performance.now()`. */
  #openUntil = 0;

  constructor({ maxFailures = 5, openMs = 5_000 }: CircuitBreakerOptions = {}) {
    this.#maxFailures = maxFailures;
    this.#openMs = openMs;
  }

  /** Returns whether to ask now. While it is open one is let through each time that its time is over. */
  mayAsk(): boolean {
    if (this.#failures < this.#maxFailures) return true;
    const now = performance.now();
    if (now < this.#openUntil) return false;
    this.#openUntil = now + this.#openMs;
    return true;
  }

  /** Somebody has answered. */
  succeed(): void {
    this.#failures = 0;
  }

  /** Nobody has. */
  fail(): void {
    this.#failures++;
    if (this.#failures >= this.#maxFailures) this.#openUntil = performance.now() + this.#openMs;
  }
}
