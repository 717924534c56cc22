/**
 * What a check of `ftpsd doctor` is.
 *
 * @module
 */

import type { Examination, FactName, Facts } from "./facts.ts";

/** How bad a finding is: nothing is wrong; good to know; some clients have trouble; most have, or it is not safe. */
export type Severity = "ok" | "note" | "warning" | "error";

/** What a check has to say. */
export interface Verdict {
  readonly severity: Severity;
  /** What was found, in a few words. */
  readonly finding: string;
  /** What to do about it, where it is not what the check says. */
  readonly remedy?: string;
}

/** What a check may look at: the facts that it needs, and what was asked for. */
export type Evidence<Needed extends FactName> = Pick<Facts, Needed> & {
  readonly examination: Examination;
  readonly now: Date;
};

/** One check. */
export interface Check {
  /** Short name, as in the output. */
  readonly id: string;
  /** What it looks at. */
  readonly looksAt: string;
  /** Facts without which there is nothing to say. */
  readonly needs: readonly FactName[];
  /** What to do when something is wrong. */
  readonly remedy: string;
  /** Page of the documentation about it, from the project's root. */
  readonly page: string;
  /** Judges; `undefined`: there is nothing to say here. */
  readonly judge: (evidence: Evidence<FactName>) => Verdict | undefined;
}

/** A check whose judge sees the facts that it needs and no others. */
export function defineCheck<const Needed extends FactName>(
  check: Omit<Check, "needs" | "judge"> & {
    readonly needs: readonly Needed[];
    readonly judge: (evidence: Evidence<Needed>) => Verdict | undefined;
  },
): Check {
  return check;
}

/** Nothing is wrong. */
export function ok(finding: string): Verdict {
  return { severity: "ok", finding };
}

/** Good to know. */
export function note(finding: string): Verdict {
  return { severity: "note", finding };
}

/** Some clients have trouble. */
export function warning(finding: string, remedy?: string): Verdict {
  return { severity: "warning", finding, ...remedy !== undefined && { remedy } };
}

/** Most clients have trouble, or it is not safe. */
export function error(finding: string, remedy?: string): Verdict {
  return { severity: "error", finding, ...remedy !== undefined && { remedy } };
}
