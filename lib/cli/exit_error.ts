/**
 * Errors of the command line: one line saying what is wrong and where, one that can be typed.
 *
 * @module
 */

/** Exit statuses. */
export const EXIT_STATUS = { stopped: 0, couldNotRun: 1, badUsage: 2 } as const;

/** Exit status of the program. */
export type ExitStatus = typeof EXIT_STATUS[keyof typeof EXIT_STATUS];

/** Ends the program with a message for its user. */
export class ExitError extends Error {
  override readonly name: string = "ExitError";
  readonly status: ExitStatus;
  /** What to type or do instead. */
  readonly hint: string;

  constructor(status: ExitStatus, message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.hint = hint;
  }
}

/** A command line that cannot be used: status 2. */
export class UsageError extends ExitError {
  override readonly name = "UsageError";

  constructor(message: string, hint = "ftpsd --help", options?: ErrorOptions) {
    super(EXIT_STATUS.badUsage, message, hint, options);
  }
}

/** A server that could not run: status 1. */
export class StartError extends ExitError {
  override readonly name = "StartError";

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(EXIT_STATUS.couldNotRun, message, hint, options);
  }
}
