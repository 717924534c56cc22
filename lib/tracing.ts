/**
 * Spans: what takes which part of the time, for whoever follows requests through systems.
 *
 * @module
 */

/** A span that lasts. */
export interface Span {
  /** Adds what is known later. */
  set(name: string, value: string | number): void;
}

/**
 * Does some work in a span, which ends with it; a promise with its result. What begins spans in the work is below it. A throw is
 * noted and passed on.
 *
 * @param attributes Nothing that names a file or an object, and no secret.
 */
export type Trace = <Result>(
  name: string,
  attributes: Readonly<Record<string, string | number>>,
  work: (span: Span) => Result,
) => Result;
