/**
 * Limits on how fast bytes go.
 *
 * @module
 */

import type { SharedRate } from "../state/state.ts";

/** Time by which a burst may run ahead of the rate. */
const BURST_US = 100_000;

/** Keeps what goes through it to a rate. */
export class Throttle {
  readonly #rate: SharedRate;

  constructor(rate: SharedRate) {
    this.#rate = rate;
  }

  /** Counts bytes that went through, and tells for how many milliseconds no more should. */
  count(bytes: number): number {
    const { bytesPerSecond, freeAtUs } = this.#rate;
    const nowUs = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
    const usedUs = BigInt(Math.round(bytes / bytesPerSecond * 1e6));
    for (;;) {
      const before = Atomics.load(freeAtUs, 0);
      const after = (before > nowUs ? before : nowUs) + usedUs;
      if (Atomics.compareExchange(freeAtUs, 0, before, after) !== before) continue;
      return Math.max(0, Number(after - nowUs) - BURST_US) / 1000;
    }
  }
}
