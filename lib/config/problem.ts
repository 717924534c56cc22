/**
 * What is wrong with a configuration file.
 *
 * @module
 */

import { formatPath, type KeyPath } from "../settings/key_path.ts";

/** One thing that is wrong. */
export interface Problem {
  /** File name as it was given. */
  readonly file: string;
  /** Line, from 1, where it is known. */
  readonly line?: number | undefined;
  /** Where in the file; empty for the file as a whole. */
  readonly path: KeyPath;
  /** What is wrong and what is wanted. */
  readonly message: string;
}

/** A configuration that cannot be used, with all that is wrong with it. */
export class ConfigurationError extends Error {
  /** Name of the class. */
  override readonly name = "ConfigurationError";
  /** At least one. */
  readonly problems: readonly Problem[];

  /** Makes an error of at least one problem. */
  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join("\n"), options);
    this.problems = problems;
  }
}

/** One line: `ftpsd.yaml:14: users[1].permissions: unknown letter "x"; …`. */
export function formatProblem({ file, line, path, message }: Problem): string {
  const where = line === undefined ? file : `${file}:${line}`;
  return path.length === 0 ? `${where}: ${message}` : `${where}: ${formatPath(path)}: ${message}`;
}
