/**
 * Signals of calls on a file that has one of its own.
 *
 * @module
 */

import { abortable } from "../../deadline.ts";
import { FileSystemError } from "../filesystem.ts";

/** A signal that aborts when either of two does, until it is disposed of. */
export function eitherSignal(one: AbortSignal, other: AbortSignal): { readonly signal: AbortSignal } & Disposable {
  const either = new AbortController();
  const abort = () => either.abort(one.aborted ? one.reason : other.reason);
  for (const signal of [one, other]) {
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  }
  return {
    signal: either.signal,
    [Symbol.dispose]: () => {
      for (const signal of [one, other]) signal.removeEventListener("abort", abort);
    },
  };
}

/**
 * Runs something that has so long.
 *
 * @throws {FileSystemError} Kind `"unavailable"` when it takes longer.
 */
export async function within(ms: number, run: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const deadline = new AbortController();
  const error = new FileSystemError("unavailable", `The store or the state has taken more than ${ms} ms`);
  const timer = setTimeout(() => deadline.abort(error), ms);
  try {
    await abortable(run(deadline.signal), deadline.signal);
  } finally {
    clearTimeout(timer);
  }
}
