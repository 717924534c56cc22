/**
 * The last resort for errors that nobody caught.
 *
 * @module
 */

import { currentScope, type ErrorScope } from "../transport/error_scope.ts";

/**
 * Ends of stacks of ticks and microtasks. The runtime tells of what they throw in their scope; with errors of timers and of
 * native callbacks it shows that of something else.
 */
const SCOPED_STACK = /\bprocessTicksAndRejections\b|\n\s+at ext:core\/01_core\.js:\d+:\d+$/;

/** What becomes of errors that are not a server's. */
export interface UncaughtErrorOptions {
  /** Takes them; must not throw. Absent: they end the program, as they do without this. */
  readonly onOther?: (error: unknown) => void;
}

/**
 * Lets errors and rejections that nobody caught end the session they belong to, and not the program. Each becomes an
 * `internalError` event with `uncaught: true`. It holds for all servers of the program, or of the worker it is called in,
 * until it is disposed of. Errors thrown by timers of your own are nobody's.
 *
 * The library does not do so by itself, since it is the program that says what ends it: call it once, at the start.
 *
 * @example
 * ```ts
 * import { catchUncaughtErrors, FtpServer, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * using _lastResort = catchUncaughtErrors();
 * await using server = new FtpServer({ authorizer: new VirtualAuthorizer(), listen: [{ port: 0 }] });
 * await server.listen();
 * ```
 */
export function catchUncaughtErrors({ onOther }: UncaughtErrorOptions = {}): Disposable {
  const take = (event: Event, error: unknown, scope: ErrorScope | undefined) => {
    if (scope === undefined && onOther === undefined) return;
    event.preventDefault();
    if (scope === undefined) onOther?.(error);
    else scope.fail(error);
  };
  const onError = (event: ErrorEvent) => {
    const error = event.error ?? new Error(event.message);
    take(event, error, keepsScope(error) ? currentScope() : undefined);
  };
  const onRejection = (event: PromiseRejectionEvent) => take(event, event.reason, currentScope());
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return {
    [Symbol.dispose]() {
      globalThis.removeEventListener("error", onError);
      globalThis.removeEventListener("unhandledrejection", onRejection);
    },
  };
}

function keepsScope(error: unknown): boolean {
  return error instanceof Error && SCOPED_STACK.test(error.stack ?? "");
}
