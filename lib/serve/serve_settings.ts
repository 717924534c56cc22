/**
 * What a program gives to be served, and the error of what cannot be.
 *
 * @module
 */

/**
 * A configuration: a file of the host, the text of one, or what such a text stands for. Relative paths of a file start from its
 * folder, others from `folder`, or else from the current directory.
 */
export type ServeSettings =
  | { readonly file: string }
  | { readonly text: string; readonly folder?: string }
  | { readonly configuration: Readonly<Record<string, unknown>>; readonly folder?: string };

/** What is no event, but to be logged. */
export interface Remark {
  /** How urgent it is. */
  readonly level: "info" | "warn" | "error";
  /** One line. */
  readonly text: string;
}

/** A configuration that cannot be used as it is. */
export class UnusableConfigurationError extends Error {
  /** Name of the class. */
  override readonly name = "UnusableConfigurationError";
  /** What is wrong with it, or unsafe: a line for each. */
  readonly reasons: readonly string[];

  /** Makes an error of at least one reason. */
  constructor(reasons: readonly string[], options?: ErrorOptions) {
    super(reasons.join("\n"), options);
    this.reasons = reasons;
  }
}
