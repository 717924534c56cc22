/**
 * What a store refuses, as the errors of file systems.
 *
 * @module
 */

import { FileSystemError } from "../filesystem.ts";
import { StoreRefusal } from "./object_store.ts";

/** Returns whether a store has refused, for one of some reasons, or for any. */
export function isRefusal(error: unknown, ...kinds: readonly StoreRefusal["kind"][]): error is StoreRefusal {
  return error instanceof StoreRefusal && (kinds.length === 0 || kinds.includes(error.kind));
}

/**
 * Waits for an answer of a store, or of the state.
 *
 * @throws {FileSystemError} For a refusal that the caller has not looked at, kind `"unavailable"`, as for all that is no error of
 * a file system already; or the signal's reason.
 */
export async function answer<Value>(asked: Value | Promise<Value>, signal: AbortSignal): Promise<Value> {
  try {
    return await asked;
  } catch (error) {
    throw failureOf(error, signal);
  }
}

/** The error of a file system that an error is, or leads to. */
export function failureOf(error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof FileSystemError || (signal?.aborted && error === signal.reason)) return error;
  if (isRefusal(error, "tooLarge")) return new FileSystemError("noSpace", error.message, { cause: error });
  const text = error instanceof Error ? error.message : String(error);
  return new FileSystemError("unavailable", `Cannot use the store or the state: ${text}`, { cause: error });
}
