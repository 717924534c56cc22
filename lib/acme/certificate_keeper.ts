/**
 * A certificate that is always good: ordered where there is none, renewed in time, tried again where that fails.
 *
 * @module
 */

import { delay } from "../deadline.ts";
import { describeThrown } from "../thrown.ts";
import type { Duties } from "../state/duties.ts";
import { AcmeError, printable } from "./acme_error.ts";
import type { Attempts, CertificateStore } from "./certificate_store.ts";
import type { ObtainedCertificate } from "./obtain_certificate.ts";
import { afterFailure, firstAttempt, renewalTime, type RetryTimes, type Validity } from "./renewal_times.ts";

/** A certificate that was looked at. */
export interface ExaminedPair extends Validity {
  /** Names that it is for. */
  readonly names: readonly string[];
}

/** The time, and waiting. */
export interface KeeperClock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** What it works with. */
export interface CertificateKeeperOptions {
  /** Names that the certificate has to be for. */
  readonly names: readonly string[];
  readonly store: CertificateStore;
  /** Orders a certificate. What it throws beside an `AcmeError` is a fault. */
  readonly order: (signal: AbortSignal) => Promise<ObtainedCertificate>;
  /**
   * Looks at a pair, with a handshake.
   *
   * @throws {Error} When it cannot be used.
   */
  readonly examine: (pair: ObtainedCertificate) => Promise<ExaminedPair>;
  /** Uses a pair from now on; not called for the first one. */
  readonly use: (pair: ObtainedCertificate) => Promise<void>;
  /** Who orders, where there are several nodes. */
  readonly duties: Duties;
  /** Whether others may have renewed it. */
  readonly hasOthers: boolean;
  /** Told of a certificate that was ordered and is in use. */
  readonly onRenewed: (pair: ExaminedPair) => void;
  /** Told of an attempt that has failed. */
  readonly onFailed: (error: AcmeError, attempts: Attempts) => void;
  /** Told of what is neither. */
  readonly log: (level: "info" | "warn" | "error", text: string) => void;
  readonly clock?: KeeperClock;
  /** From 0 to below 1. @default {Math.random} */
  readonly random?: () => number;
  /** @default {RETRY_TIMES} */
  readonly retry?: RetryTimes | undefined;
}

/** How a certificate is doing. */
export interface KeeperStatus {
  /** Whether an order is under way, here. */
  readonly isOrdering: boolean;
  /** When one is made next, on whichever node. */
  readonly nextAttempt: Date;
  /** Attempts that have failed in a row. */
  readonly failures: number;
  /** Why the last one has; absent: it has not. */
  readonly lastFailure: string | undefined;
}

const DUTY = "acme";
/** Longest time of an order; a CA may want minutes. */
const ORDER_TIMEOUT_MS = 300_000;
/** Longest wait without a look: clocks are set, and machines sleep. */
const MAX_WAIT_MS = 3_600_000;
/** The same where others may have renewed it, though they tell. */
const OTHERS_WAIT_MS = 30_000;

/** Shortest wait. */
const MIN_WAIT_MS = 50;

/** Keeps a certificate good, from {@linkcode CertificateKeeper.start} until it is disposed of. */
export class CertificateKeeper implements AsyncDisposable {
  readonly #options: CertificateKeeperOptions;
  readonly #clock: KeeperClock;
  readonly #closing = new AbortController();
  readonly #settled = Promise.withResolvers<void>();
  #waking = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #inUse: (ExaminedPair & ObtainedCertificate) | undefined;
  #attempts: Attempts | undefined;
  #notBefore = 0;
  #isOrdering = false;
  /** What the server has; absent: there is no server yet, or it has another one than ours. */
  #served: string | undefined;
  #isAttached = false;

  constructor(options: CertificateKeeperOptions) {
    this.#options = options;
    this.#clock = options.clock ?? { now: Date.now, wait: delay };
  }

  /** The certificate, once there is one. */
  get current(): ObtainedCertificate | undefined {
    return this.#inUse && { certificate: this.#inUse.certificate, key: this.#inUse.key };
  }

  /** How it is doing. */
  get status(): KeeperStatus {
    return {
      isOrdering: this.#isOrdering,
      nextAttempt: new Date(Math.max(this.#dueAt(), this.#notBefore)),
      failures: this.#attempts?.failures ?? 0,
      lastFailure: this.#attempts?.reason,
    };
  }

  /**
   * Takes what is stored, and begins. Where that is good, nobody is asked for anything.
   *
   * @throws {AcmeError} When the storage cannot be used.
   */
  async start(): Promise<void> {
    this.#attempts = await this.#options.store.attempts();
    await this.#takeStored();
    const now = this.#clock.now();
    this.#notBefore = firstAttempt(this.#attempts, now);
    if (this.#inUse !== undefined || this.#notBefore > now) this.#settled.resolve();
    this.#running = this.#run();
  }

  /** Resolves when there is a certificate, or a first attempt for one has failed; no later than the signal aborts. */
  async settled(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => resolve();
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
    await Promise.race([promise, this.#settled.promise]);
    signal.removeEventListener("abort", done);
  }

  /**
   * Uses from now on what there is, and what is found.
   *
   * @param served The certificate that the server has.
   */
  attach(served: string | undefined): void {
    this.#served = served;
    this.#isAttached = true;
    this.wake();
  }

  /** Looks at once whether others have renewed it. */
  wake(): void {
    this.#waking.abort();
  }

  /** Tries again at once, if the CA does not mind: somebody may have mended what was wrong. */
  retry(): void {
    this.#notBefore = firstAttempt(this.#attempts, this.#clock.now());
    this.wake();
  }

  /** Ends an order that is under way; the next start goes on with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("The server stops", "AbortError"));
    await this.#running;
  }

  #dueAt(): number {
    return this.#inUse === undefined || !this.#isWanted(this.#inUse) ? 0 : renewalTime(this.#inUse);
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#waking = new AbortController();
      let waitMs = this.#options.hasOthers ? OTHERS_WAIT_MS : MAX_WAIT_MS;
      try {
        await this.#serve();
        const dueAt = Math.max(this.#dueAt(), this.#notBefore);
        if (this.#clock.now() >= dueAt) await this.#renew();
        waitMs = Math.min(waitMs, Math.max(this.#dueAt(), this.#notBefore) - this.#clock.now());
      } catch (error) {
        if (signal.aborted) return;
        this.#options.log("error", `cannot look after the certificate: ${describeThrown(error)}`);
      }
      const waking = AbortSignal.any([signal, this.#waking.signal]);
      await this.#clock.wait(Math.max(waitMs, MIN_WAIT_MS), waking).catch(() => {}); // sooner
      if (signal.aborted) return;
      await this.#takeStored().catch((error) =>
        this.#options.log("error", `cannot read the stored certificate: ${describeThrown(error)}`)
      );
    }
  }

  /** Takes the duty, and orders; where another node has it, that one does. */
  async #renew(): Promise<void> {
    const { duties, hasOthers, store } = this.#options;
    if (!await duties.take(DUTY, ORDER_TIMEOUT_MS + 60_000)) {
      this.#notBefore = this.#clock.now() + OTHERS_WAIT_MS;
      return;
    }
    if (hasOthers) {
      await this.#takeStored(); // another may just have done it, or failed
      this.#attempts = await store.attempts();
      this.#notBefore = Math.max(this.#notBefore, this.#attempts?.notBefore ?? 0);
      if (this.#clock.now() < Math.max(this.#dueAt(), this.#notBefore)) return this.#settled.resolve();
    }
    await this.#attempt();
  }

  async #attempt(): Promise<void> {
    const { order, store, onRenewed } = this.#options;
    this.#isOrdering = true;
    const late = AbortSignal.timeout(ORDER_TIMEOUT_MS);
    try {
      const pair = await order(AbortSignal.any([this.#closing.signal, late]));
      const examined = await this.#examineOrdered(pair);
      await store.keepCertificate(pair);
      await store.keepOrder(undefined);
      await this.#take(pair, examined);
      this.#attempts = undefined;
      const now = this.#clock.now();
      // Where clocks differ, or its life is all but over, the next one would be ordered at once, and so on.
      this.#notBefore = this.#dueAt() > now ? 0 : now + MAX_WAIT_MS;
      await store.keepAttempts(undefined);
      onRenewed(examined);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      await this.#failed(late.aborted ? new AcmeError("late", "the order did not end within 5 minutes") : error);
    } finally {
      this.#isOrdering = false;
      this.#settled.resolve();
    }
  }

  async #failed(thrown: unknown): Promise<void> {
    const { store, onFailed, random = Math.random, retry, log } = this.#options;
    const error = thrown instanceof AcmeError
      ? thrown
      : new AcmeError("local", thrown instanceof Error ? thrown.message : describeThrown(thrown), { cause: thrown });
    const now = this.#clock.now();
    const attempts = afterFailure(error, { before: this.#attempts, now, random: random(), times: retry });
    this.#attempts = attempts;
    this.#notBefore = attempts.notBefore;
    onFailed(error, attempts);
    await store.keepAttempts(attempts).catch((cause) =>
      log("error", `cannot keep what has failed: ${describeThrown(cause)}`)
    );
  }

  /** Takes a certificate that this node, or another one, has stored, if it is another and a better one than that in use. */
  async #takeStored(): Promise<void> {
    const { store, examine, log } = this.#options;
    const stored = await store.certificate();
    if (stored === undefined || stored.certificate === this.#inUse?.certificate) return;
    let examined: ExaminedPair;
    try {
      examined = await examine(stored);
    } catch (error) {
      log("warn", `the stored certificate cannot be used: ${error instanceof Error ? error.message : error}`);
      return;
    }
    const isGood = examined.validTo.getTime() > this.#clock.now();
    if (!isGood || this.#inUse !== undefined && !this.#isBetter(examined, this.#inUse)) return;
    await this.#take(stored, examined);
    this.#settled.resolve();
  }

  /** One for other names is better than none: a name may have been added that cannot be proven yet. */
  #isBetter(found: ExaminedPair, inUse: ExaminedPair): boolean {
    if (this.#isWanted(found) !== this.#isWanted(inUse)) return this.#isWanted(found);
    return found.validTo > inUse.validTo;
  }

  #isWanted({ names }: ExaminedPair): boolean {
    const has = new Set(names.map((name) => name.toLowerCase()));
    return this.#options.names.every((name) => has.has(name.toLowerCase()));
  }

  async #take({ certificate, key }: ObtainedCertificate, examined: ExaminedPair): Promise<void> {
    this.#inUse = { ...examined, certificate, key };
    await this.#serve();
  }

  /** Gives the server what it does not have. */
  async #serve(): Promise<void> {
    const pair = this.current;
    if (!this.#isAttached || pair === undefined || pair.certificate === this.#served) return;
    await this.#options.use(pair);
    this.#served = pair.certificate;
  }

  /** What the CA has made is looked at before it takes the place of anything. */
  async #examineOrdered(pair: ObtainedCertificate): Promise<ExaminedPair> {
    try {
      const examined = await this.#options.examine(pair);
      const { names, validTo } = examined;
      if (!this.#isWanted(examined)) throw new TypeError(`it is not for all names, but for ${names.join(", ")}`);
      if (validTo.getTime() <= this.#clock.now()) throw new TypeError(`it ended on ${validTo.toISOString()}`);
      return examined;
    } catch (cause) {
      await this.#options.store.keepOrder(undefined); // which would give the same again
      const reason = cause instanceof Error ? cause.message : describeThrown(cause);
      throw new AcmeError("badAnswer", `the certificate of the CA cannot be used: ${printable(reason)}`, { cause });
    }
  }
}
