/**
 * Many sessions at once, and what has come of what they wanted.
 *
 * @module
 */

import type { FtpCluster } from "../../helpers/cluster/ftp_cluster.ts";
import { Random } from "../random.ts";
import { Ledger } from "./ledger.ts";
import { type Attempt, LoadSession } from "./load_session.ts";

/** How much there is. */
export interface LoadOptions {
  readonly sessions: number;
  readonly seed: number;
  /** How long a client waits for anything, in milliseconds. */
  readonly deadlineMs: number;
  /** Of uploads that take their time. @default {2 MiB} */
  readonly maxSlowBytes?: number;
}

const MAX_SLOW_BYTES = 2 * 1024 * 1024;

/** What has come of the transfers, or the logins, of a time. */
export interface Tally {
  /** Ended with 226. */
  readonly whole: number;
  /** Ended with another reply: how often which. */
  readonly told: Readonly<Record<string, number>>;
  /** Ended without a reply: how often why. */
  readonly cut: Readonly<Record<string, number>>;
}

/** Sessions that work from its creation until its end. */
export class Load implements AsyncDisposable {
  readonly ledger = new Ledger();
  /** What was downloaded and was wrong. */
  readonly wrong: string[] = [];
  readonly #attempts: Attempt[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #sessions: readonly LoadSession[];
  readonly #lastUploads = new Map<LoadSession, number>();
  #changed = Promise.withResolvers<void>();

  constructor(cluster: FtpCluster, { sessions, seed, deadlineMs, maxSlowBytes = MAX_SLOW_BYTES }: LoadOptions) {
    const share = {
      cluster,
      ledger: this.ledger,
      deadlineMs,
      maxSlowBytes,
      onAttempt: (session: LoadSession, attempt: Attempt) => this.#take(session, attempt),
      onWrong: (text: string) => void this.wrong.push(text),
    };
    this.#sessions = Array.from(
      { length: sessions },
      (_, index) => new LoadSession(share, index, new Random(seed * 1000 + index)),
    );
    this.#running = Promise.all(this.#sessions.map((session) => session.run(this.#stop.signal)));
  }

  /**
   * Waits until all sessions have uploaded something whole that began after a moment.
   *
   * @returns When the last one of them had.
   * @throws {Error} When that takes longer than `withinMs`.
   */
  async untilNormal(since: number, withinMs: number): Promise<number> {
    const waiting = () => this.#sessions.filter((session) => (this.#lastUploads.get(session) ?? -1) < since);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const { promise: expired, reject } = Promise.withResolvers<never>();
    try {
      timer = setTimeout(() => reject(new Error(`${waiting().length} sessions have uploaded nothing`)), withinMs);
      while (waiting().length > 0) await Promise.race([this.#changed.promise, expired]);
    } finally {
      clearTimeout(timer);
    }
    return performance.now();
  }

  /** What has become of what was under way between two moments. */
  tally(kinds: readonly Attempt["what"][], from: number, to: number): Tally {
    const told: Record<string, number> = {};
    const cut: Record<string, number> = {};
    let whole = 0;
    for (const { what, startedAt, endedAt, outcome } of this.#attempts) {
      if (!kinds.includes(what) || endedAt < from || startedAt > to) continue;
      if (outcome.kind === "whole") whole++;
      else if (outcome.kind === "told") told[outcome.text] = (told[outcome.text] ?? 0) + 1;
      else cut[shorten(outcome.reason)] = (cut[shorten(outcome.reason)] ?? 0) + 1;
    }
    return { whole, told, cut };
  }

  /** When the last one ended that was refused or cut, since a moment; that moment where none was. */
  lastFailure(since: number): number {
    const failed = this.#attempts.filter(({ outcome, endedAt }) => outcome.kind !== "whole" && endedAt > since);
    return Math.max(since, ...failed.map(({ endedAt }) => endedAt));
  }

  /** Lets all sessions end what they do. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  #take(session: LoadSession, attempt: Attempt): void {
    if (!isBusy(attempt)) this.#attempts.push(attempt);
    if (attempt.what === "upload" && attempt.outcome.kind === "whole") {
      this.#lastUploads.set(session, attempt.startedAt);
    }
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** Whoever writes to a name at the same time as somebody else is refused, and whoever reads what is replaced is cut, fault or not. */
function isBusy({ what, isContested, outcome }: Attempt): boolean {
  return isContested && outcome.kind === "told" && outcome.code === (what === "upload" ? 450 : 451);
}

/** Without what differs from one to the next. */
function shorten(reason: string): string {
  return reason.split(/[";(]/)[0]?.replace(/\b\d+\b/g, "N").trim() ?? "";
}
