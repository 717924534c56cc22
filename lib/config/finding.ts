/**
 * What an inspection of a configuration finds.
 *
 * @module
 */

import type { RiskId } from "../server/risks.ts";

/**
 * How bad it is: an `error` stops the server, a `risk` does unless it is accepted, a `warning` is for the operator to know.
 */
export type Severity = "error" | "risk" | "warning";

/** One thing found. */
export interface Finding {
  readonly severity: Severity;
  /** Present for risks. */
  readonly risk?: RiskId;
  /** The key it is about, such as `users[0].home`; empty for the configuration as a whole. */
  readonly where: string;
  /** What is wrong, and what to do. */
  readonly message: string;
  /** What to type, where the message does not say it. */
  readonly hint?: string;
}
