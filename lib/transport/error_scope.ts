/**
 * Whom an error belongs to that nobody caught.
 *
 * What the runtime calls back (socket events, timers) has no caller that could catch. Callbacks of ours are guarded. Errors
 * inside the runtime, and rejections that nobody awaits, are for `catchUncaughtErrors()`.
 *
 * @module
 */

import { AsyncLocalStorage } from "node:async_hooks";

/** What an error ends. */
export interface ErrorScope {
  /** Reports the error and ends what it belongs to. Must not throw. */
  fail(error: unknown): void;
}

const SCOPES = new AsyncLocalStorage<ErrorScope>();

/** The scope of this moment; `undefined` outside of any server. */
export function currentScope(): ErrorScope | undefined {
  return SCOPES.getStore();
}

/** Returns a function that runs others in the scope of this moment, for what outlives the session that begins it. */
export function inCurrentScope(): <Result>(run: () => Result) => Result {
  const scope = SCOPES.getStore();
  return (run) => scope === undefined ? run() : SCOPES.run(scope, run);
}

/** Runs a function; errors of what it starts belong to the scope, unless it starts that in another one. */
export function runInScope<Result>(scope: ErrorScope, run: () => Result): Result {
  return SCOPES.run(scope, run);
}

/**
 * Makes a callback for the runtime: when it throws, the scope of this moment fails. Without a scope it throws on.
 *
 * The runtime calls callbacks of sockets in no scope. What they begin, where it may fail by itself, needs
 * {@linkcode scoped}.
 */
export function guarded<Args extends unknown[]>(callback: (...args: Args) => void): (...args: Args) => void {
  const scope = SCOPES.getStore();
  if (scope === undefined) return callback;
  return (...args) => {
    try {
      callback(...args);
    } catch (error) {
      scope.fail(error);
    }
  };
}

/** Makes a callback like {@linkcode guarded} that also runs in the scope of this moment, which takes 1 us more. */
export function scoped<Args extends unknown[]>(callback: (...args: Args) => void): (...args: Args) => void {
  const scope = SCOPES.getStore();
  return scope === undefined ? callback : guarded((...args) => SCOPES.run(scope, callback, ...args));
}
