/**
 * Ports that several event loops use while one of them has the implementation.
 *
 * @module
 */

/** A value now or later. */
export type MaybePromise<Value> = Value | Promise<Value>;

/** Something that is held until it is disposed of, or lost before. */
export interface Lease extends Disposable {
  /** Aborts when the owner no longer keeps it, as an engine that is out of reach does in the end; absent: never. */
  readonly lost?: AbortSignal;
  /** Returns whether it is still held, where that ends by time: in a process that was stopped no signal has aborted yet. */
  isHeld?(): boolean;
}

/** Returns whether a lease was lost; asked right before what only its holder may do, and before that is called done. */
export function isLost({ lost, isHeld }: Pick<Lease, "lost" | "isHeld">): boolean {
  return lost?.aborted === true || isHeld?.() === false;
}

/** Returns whether an answer has to be given back. */
export function isLease(answer: unknown): answer is Lease {
  return typeof answer === "object" && answer !== null && Symbol.dispose in answer;
}

/**
 * What a member of a lease is in another event loop: a `"value"` that is sent with the lease; a method that is an `"ask"`, with
 * an answer, or a `"tell"`, without; or an `"undo"`, a method without arguments and answer that ends the lease, and that also
 * comes before the release of a lease that nobody waits for any more.
 */
export type LeaseMember = "value" | "ask" | "tell" | "undo";

/**
 * The methods that other event loops may call, each with the members of the lease that it gives; none of one that gives no
 * lease. Arguments and results are sent as structured clones. A signal comes last, or as `signal` of options that come last.
 */
export type SharedMethods<Port> = { readonly [Name in keyof Port]: MembersOfLease<Port[Name]> };

type MembersOfLease<Method> = Method extends (...args: never[]) => infer Result
  ? { readonly [Name in Exclude<keyof Extract<Awaited<Result>, Disposable>, keyof Lease>]: LeaseMember }
  : never;
