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

/** A word that is not known, and those that are. */
export interface UnknownWord {
  readonly typed: string;
  readonly known: readonly string[];
  /** What comes before such a word, as `--`. */
  readonly before?: string;
}

/** Options of {@linkcode UsageError}. */
export interface UsageErrorOptions extends ErrorOptions {
  /** Lets {@linkcode messageOf} tell what was most likely meant. */
  readonly unknownWord?: UnknownWord | undefined;
}

/** A command line that cannot be used: status 2. */
export class UsageError extends ExitError {
  override readonly name = "UsageError";
  readonly unknownWord: UnknownWord | undefined;

  constructor(message: string, hint = "ftpsd --help", options: UsageErrorOptions = {}) {
    super(EXIT_STATUS.badUsage, message, hint, options);
    this.unknownWord = options.unknownWord;
  }
}

/** A server that could not run: status 1. */
export class StartError extends ExitError {
  override readonly name = "StartError";

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(EXIT_STATUS.couldNotRun, message, hint, options);
  }
}

/** The message, and what was most likely meant by a word that is not known. */
export async function messageOf(error: ExitError): Promise<string> {
  const { unknownWord } = error instanceof UsageError ? error : {};
  if (unknownWord === undefined) return error.message;
  // Loaded when it is needed: every start would pay for it.
  const { findNearest } = await import("../settings/unknown_keys.ts");
  const { typed, known, before = "" } = unknownWord;
  const meant = findNearest(known, typed);
  return meant === undefined ? error.message : `${error.message}; did you mean ${before}${meant}?`;
}

/** Quotes a word where the shell would read more into it than it says. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
