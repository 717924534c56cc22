/**
 * Limits on how fast bytes go.
 *
 * @module
 */

/** Time by which a burst may run ahead of the rate. */
const BURST_MS = 100;

/** Keeps what goes through it to a rate. Several transfers may share one. */
export class Throttle {
  readonly #bytesPerMs: number;
  /** When the bytes that went through would all be gone at the rate. */
  #freeAt = 0;

  /** Makes a limit of so many bytes a second, at least 1. */
  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Counts bytes that went through, and tells for how many milliseconds no more should. */
  count(bytes: number): number {
    const now = performance.now();
    this.#freeAt = Math.max(now, this.#freeAt) + bytes / this.#bytesPerMs;
    return Math.max(0, this.#freeAt - now - BURST_MS);
  }
}
