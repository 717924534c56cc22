/**
 * How fast bytes go: rates that are kept, and what the system's send buffer hides of a peer that reads slowly.
 *
 * Once the buffer was full, the system tells of room only when a third of it is free (Linux, `sk_stream_is_writeable`). It
 * grows to 4 MiB, over loopback at once: of 16 KiB/s that a peer takes, nothing is seen for 80 s.
 *
 * @module
 */

import type { SharedRate } from "../state/state.ts";

/** Largest send buffer of Linux by default (`net.ipv4.tcp_wmem`). */
const MAX_BUFFER_BYTES = 4 * 1024 * 1024;
const SEEN_PART = 1 / 3;
/** A peer that takes less is stalled. */
const MIN_BYTES_PER_SECOND = 8 * 1024;
/** A peer that takes nothing is given up at the latest after so many times the time without a byte. */
const MAX_TIMES = 4;
/** What is taken sooner has only filled the buffer, or a fast peer takes it. */
const AT_ONCE_MS = 50;

/** Follows the pieces that are written to one peer. */
export class SendBuffer {
  #pendingBytes = 0;
  #startedAt = 0;
  /** What was taken in one go, now and at most. */
  #burstBytes = 0;
  #bufferBytes = 0;

  /** A write begins. */
  begin(bytes: number): void {
    this.#pendingBytes = bytes;
    this.#startedAt = performance.now();
  }

  /** The write was taken. */
  end(): void {
    const isAtOnce = performance.now() - this.#startedAt < AT_ONCE_MS;
    this.#burstBytes = isAtOnce ? this.#burstBytes + this.#pendingBytes : 0;
    this.#bufferBytes = Math.min(Math.max(this.#bufferBytes, this.#burstBytes), MAX_BUFFER_BYTES);
    this.#pendingBytes = 0;
  }

  /**
   * How long a slow peer may leave a write untaken though it reads.
   *
   * @param stallMs How long without a byte is too long where each byte is seen.
   * @returns At least that, at most four times that.
   */
  patienceMs(stallMs: number): number {
    const hiddenBytes = this.#pendingBytes + this.#bufferBytes * SEEN_PART;
    return Math.max(stallMs, Math.min(hiddenBytes / MIN_BYTES_PER_SECOND * 1000, MAX_TIMES * stallMs));
  }
}

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
    const { bytesPerSecond, freeAtUs, parts } = this.#rate;
    const divisor = parts === undefined ? 1 : Math.max(1, Atomics.load(parts, 0));
    const nowUs = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
    const usedUs = BigInt(Math.round(bytes * divisor / bytesPerSecond * 1e6));
    for (;;) {
      const before = Atomics.load(freeAtUs, 0);
      const after = (before > nowUs ? before : nowUs) + usedUs;
      if (Atomics.compareExchange(freeAtUs, 0, before, after) !== before) continue;
      return Math.max(0, Number(after - nowUs) - BURST_US) / 1000;
    }
  }
}
