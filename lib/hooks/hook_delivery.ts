/**
 * The way of messages from the queue to one receiver: some at once, those of a lane one after the other, each until it is told.
 *
 * A message that is refused is put off by itself, with all that is behind it in its lane. Where nobody is reached, all wait: there
 * is no use in trying each of them.
 *
 * @module
 */

import type { HookResult } from "../meter.ts";
import type { HookQueue, QueuedMessage } from "../state/hook_queue.ts";
import { describeThrown } from "../thrown.ts";
import type { HookOutcome, HookReceiver } from "./hook_receiver.ts";

/** Messages that are sent at once to one receiver. */
export const MAX_AT_ONCE = 8;

/** The first wait of a message that was refused, and the longest, in milliseconds. */
const REFUSED_MS = { first: 1_000, longest: 300_000 } as const;
/** The same of all messages of a hook that nobody was reached for. */
const UNREACHABLE_MS = { first: 500, longest: 15_000 } as const;
/** At least so long is between two lines in the log about a hook that fails, in milliseconds. */
const REPORT_EVERY_MS = 60_000;

/** What a delivery works with. */
export interface HookDeliveryOptions {
  readonly hook: string;
  readonly queue: HookQueue;
  readonly receiver: Pick<HookReceiver, "send">;
  /** How long a message is tried, in milliseconds; 0 for ever. */
  readonly keepMs: number;
  /** Told of each attempt that has ended, and of a message that was given up. */
  readonly onResult: (result: HookResult) => void;
  readonly log: (level: "info" | "warn" | "error", text: string) => void;
}

/** Delivers to one receiver, from its making until it is disposed of. */
export class HookDelivery implements AsyncDisposable {
  readonly #options: HookDeliveryOptions;
  readonly #closing = new AbortController();
  readonly #running = new Map<number, Promise<void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Attempts in a row that have reached nobody. */
  #misses = 0;
  #pausedUntil = 0;
  #reportedAt = -Infinity;
  #isFailing = false;

  constructor(options: HookDeliveryOptions) {
    this.#options = options;
    this.wake();
  }

  /** Sends what can be sent. Never throws. */
  wake(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#closing.signal.aborted || this.#running.size >= MAX_AT_ONCE) return;
    const now = performance.now();
    if (now < this.#pausedUntil) return this.#wakeAt(this.#pausedUntil);
    const { hook, queue } = this.#options;
    try {
      // Those that are being sent are due still.
      const due = queue.due(hook, now, MAX_AT_ONCE + this.#running.size)
        .filter(({ sequence }) => !this.#running.has(sequence));
      for (const message of due.slice(0, MAX_AT_ONCE - this.#running.size)) this.#start(message);
      const next = queue.nextDue(hook, now);
      if (next !== undefined) this.#wakeAt(next);
    } catch (error) {
      this.#queueFailed(error);
    }
  }

  /** Gives up what is being sent, which is sent again by whoever has the queue next. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    this.#closing.abort();
    await Promise.all(this.#running.values());
  }

  #wakeAt(time: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.wake(), Math.max(time - performance.now(), 1));
  }

  #start(message: QueuedMessage): void {
    const running = this.#deliver(message).finally(() => {
      this.#running.delete(message.sequence);
      this.wake();
    });
    this.#running.set(message.sequence, running);
  }

  /** Never rejects. */
  async #deliver(message: QueuedMessage): Promise<void> {
    try {
      const outcome = await this.#options.receiver.send(message, this.#closing.signal);
      if (outcome.kind === "delivered") this.#delivered(message);
      else this.#failed(message, outcome);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#queueFailed(error);
    }
  }

  #delivered(message: QueuedMessage): void {
    const { hook, queue, onResult, log } = this.#options;
    this.#misses = 0;
    onResult("delivered");
    queue.remove(message);
    if (!this.#isFailing) return;
    this.#isFailing = false;
    log("info", `hook ${hook}: events are delivered again`);
  }

  #failed(message: QueuedMessage, outcome: Exclude<HookOutcome, { readonly kind: "delivered" }>): void {
    const { hook, queue, keepMs, onResult, log } = this.#options;
    onResult("failed");
    this.#report(outcome.reason);
    if (keepMs > 0 && Date.now() - message.queuedAt > keepMs) {
      queue.remove(message);
      onResult("expired");
      log(
        "error",
        `hook ${hook}: given up event ${message.id} after ${message.attempts + 1} attempts: ${message.body}`,
      );
      return;
    }
    const now = performance.now();
    if (outcome.kind === "refused") this.#misses = 0;
    else if (now >= this.#pausedUntil) this.#pausedUntil = now + backOff(UNREACHABLE_MS, this.#misses++); // once for all at once
    const asked = outcome.kind === "refused" ? outcome.retryAfterMs ?? 0 : 0;
    if (outcome.kind === "refused" && outcome.isBusy) this.#pausedUntil = now + asked;
    // Nobody was reached: that is no fault of the message.
    const wait = outcome.kind === "unreachable"
      ? backOff(UNREACHABLE_MS, message.attempts)
      : backOff(REFUSED_MS, message.attempts);
    queue.postpone(message, now + Math.max(wait, asked));
  }

  #report(reason: string): void {
    const now = performance.now();
    this.#isFailing = true;
    if (now - this.#reportedAt < REPORT_EVERY_MS) return;
    this.#reportedAt = now;
    const { hook, queue, log } = this.#options;
    log("warn", `hook ${hook}: ${reason}; trying again (${queue.waitingFor(hook)} events wait)`);
  }

  /** What was told already is told again, with the same id. */
  #queueFailed(error: unknown): void {
    this.#report(`cannot use the queue: ${describeThrown(error)}`);
    this.#pausedUntil = performance.now() + backOff(UNREACHABLE_MS, this.#misses++);
    this.#wakeAt(this.#pausedUntil);
  }
}

/** Doubles with each attempt, and lies between a half of that and all of it, so that not all come at once. */
function backOff({ first, longest }: { readonly first: number; readonly longest: number }, attempts: number): number {
  return Math.min(first * 2 ** Math.min(attempts, 20), longest) * (0.5 + Math.random() / 2);
}
