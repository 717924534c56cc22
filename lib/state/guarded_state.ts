/**
 * The state as a server uses it: an engine beyond this process may fail, hang, or lose what it has given.
 *
 * @module
 */

import { abortable } from "../deadline.ts";
import type { FileClaims } from "../filesystem/file_claims.ts";
import { FileSystemError } from "../filesystem/filesystem.ts";
import type { CallOutcome } from "../meter.ts";
import type { Trace } from "../tracing.ts";
import { isLease, type Lease, type LeaseMember, type MaybePromise } from "../shared_port.ts";
import { describeThrown } from "../thrown.ts";
import { type LoginAttempt, type ON_FAILURE, SHARED_STATE, type SharedState, StateUnavailableError } from "./state.ts";

type Call = keyof typeof ON_FAILURE;
type CallsThat<Effect> = { [Name in Call]: (typeof ON_FAILURE)[Name] extends Effect ? Name : never }[Call];

/** Told of a failure. Must not throw. */
export type ReportFailure = (call: Call, cause: unknown) => void;

/** Failures of a call that come within this time of one that was reported are counted, and told with the next one. */
const REPORT_INTERVAL_MS = 10_000;

/**
 * Tells of failures for the log, but does not fill it while the engine is away: of each call one in ten seconds.
 *
 * @param tell Given a line, and the last cause. Must not throw.
 */
export function reportSparingly(
  tell: (message: string, cause: unknown) => void,
  now: () => number = () => performance.now(),
): ReportFailure {
  const calls = new Map<Call, { readonly toldAt: number; missed: number }>();
  return (call, cause) => {
    const last = calls.get(call);
    if (last !== undefined && now() - last.toldAt < REPORT_INTERVAL_MS) return void last.missed++;
    calls.set(call, { toldAt: now(), missed: 0 });
    const others = last === undefined || last.missed === 0 ? "" : `; ${last.missed} more times since it was said last`;
    tell(`The state has failed (${call}): ${describeThrown(cause)}${others}`, cause);
  };
}

/** What a guard tells others; none of it may throw. */
export interface GuardListeners {
  readonly report: ReportFailure;
  /** Does calls in spans; absent: nobody follows them. */
  readonly trace?: Trace | undefined;
  /** Told how long each call took, with what it waited for; absent: nobody wants to know. */
  readonly onCall?: ((call: keyof SharedState, outcome: CallOutcome) => void) | undefined;
}

/** Makes each failure of an engine what {@linkcode ON_FAILURE} says. */
export function guardState(engine: SharedState, { report, trace, onCall }: GuardListeners): SharedState {
  const guard = new Guard(report);
  const methods = Object.entries(SHARED_STATE).map(([name, members]) => {
    const acquire = async (...args: unknown[]): Promise<unknown> => {
      const ask = () => (engine[name as keyof SharedState] as Method).apply(engine, args);
      const answer = await guard.acquire(name as keyof SharedState, ask, args.at(-1) as AbortSignal);
      return isLease(answer) ? guard.members(answer, members as Members) : answer;
    };
    const call = trace === undefined
      ? acquire
      : (...args: unknown[]) => trace(`state ${name}`, {}, () => acquire(...args));
    return [name, onCall === undefined ? call : timed(call, (outcome) => onCall(name as keyof SharedState, outcome))];
  });
  return Object.fromEntries(methods) as SharedState;
}

/** A refusal by a signal is the client's, and no failure. */
function timed(
  call: (...args: unknown[]) => Promise<unknown>,
  onEnd: (outcome: CallOutcome) => void,
): (...args: unknown[]) => Promise<unknown> {
  return async (...args) => {
    const startedAt = performance.now();
    let hasFailed = false;
    try {
      return await call(...args);
    } catch (error) {
      hasFailed = error instanceof StateUnavailableError;
      throw error;
    } finally {
      onEnd({ seconds: (performance.now() - startedAt) / 1000, hasFailed });
    }
  };
}

type Method = (...args: unknown[]) => unknown;
type Members = Readonly<Record<string, LeaseMember>>;

/** The same for who writes what. */
export class GuardedFileClaims implements FileClaims {
  readonly #engine: FileClaims;
  readonly #guard: Guard;

  constructor(engine: FileClaims, report: ReportFailure) {
    this.#engine = engine;
    this.#guard = new Guard(report);
  }

  /** @throws {FileSystemError} Kind `"busy"`, or `"unavailable"` with a `StateUnavailableError` as its cause when the engine fails. */
  async claim(file: string, signal?: AbortSignal): Promise<Lease> {
    const claim = async () => {
      try {
        return await this.#engine.claim(file, signal);
      } catch (error) {
        if (error instanceof FileSystemError && error.kind === "busy") return error; // an answer
        throw error;
      }
    };
    const answer = await this.#guard.acquire("claim", claim, signal).catch((cause) => {
      if (!(cause instanceof StateUnavailableError)) throw cause;
      throw new FileSystemError("unavailable", "Cannot open file for writing: nobody knows who writes it", { cause });
    });
    if (answer instanceof FileSystemError) throw answer;
    return this.#guard.hold(answer, "lostClaim");
  }
}

class Guard {
  readonly #report: ReportFailure;

  constructor(report: ReportFailure) {
    this.#report = report;
  }

  /** What comes after the signal has aborted is given back: nobody waits for it. */
  acquire<Answer>(call: CallsThat<"refuse">, ask: () => MaybePromise<Answer>, signal?: AbortSignal): Promise<Answer> {
    const answer = Promise.try(ask);
    return this.refuse(call, () => answer, signal).catch((error) => {
      // It may have settled in the very turn in which the signal has aborted.
      answer.then((late) => void (isLease(late) && this.#giveBack(late)), () => {}); // a failure is reported by refuse()
      throw error;
    });
  }

  /** @throws {StateUnavailableError} When the engine fails. @throws The reason of `signal` when it aborts before. */
  async refuse<Answer>(
    call: CallsThat<"refuse">,
    ask: () => MaybePromise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> {
    try {
      const answer = Promise.try(ask);
      return await (signal === undefined ? answer : abortable(answer, signal));
    } catch (cause) {
      signal?.throwIfAborted();
      this.#report(call, cause);
      throw new StateUnavailableError(cause);
    }
  }

  goOn(call: CallsThat<"goOn">, tell: () => unknown): void {
    Promise.try(tell).catch((cause) => this.#report(call, cause));
  }

  /** A lease with its members: what has an answer is refused where the engine fails, the rest goes on. */
  members(lease: Lease, members: Members): Lease {
    const guarded = Object.entries(members).map(([name, kind]) => {
      const member = (lease as unknown as Record<string, unknown>)[name];
      if (kind === "value") return [name, member];
      const use = (args: unknown[]) => (member as Method).apply(lease, args);
      // Without a signal: the failure of a client who has left counts too, and a ban that it brings is reported.
      if (kind === "ask") {
        return [name, (...args: unknown[]) => this.refuse(name as CallsThat<"refuse">, () => use(args))];
      }
      return [name, (...args: unknown[]) => this.goOn(name as CallsThat<"goOn">, () => use(args))];
    });
    return { ...Object.fromEntries(guarded), ...this.hold(lease, "lost") };
  }

  hold(lease: Lease, loss: "lost" | "lostClaim"): Lease {
    const report = () => this.#report(loss, lease.lost?.reason);
    if (lease.lost?.aborted) report();
    lease.lost?.addEventListener("abort", report, { once: true });
    return {
      ...lease.lost && { lost: lease.lost },
      ...lease.isHeld && { isHeld: () => lease.isHeld?.() ?? true },
      [Symbol.dispose]: () => {
        lease.lost?.removeEventListener("abort", report);
        this.goOn("release", () => lease[Symbol.dispose]());
      },
    };
  }

  #giveBack(lease: Lease & Partial<LoginAttempt>): void {
    // An attempt first, since its release alone is its failure.
    if (lease.giveBack !== undefined) this.goOn("giveBack", () => lease.giveBack?.());
    this.goOn("release", () => lease[Symbol.dispose]());
  }
}
