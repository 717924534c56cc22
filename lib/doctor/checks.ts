/**
 * All checks of `ftpsd doctor`, and what they say of a server.
 *
 * @module
 */

import type { Check, Severity, Verdict } from "./check.ts";
import { CONNECTION_CHECKS } from "./connection_checks.ts";
import type { Examination, FactName, Facts, Notes } from "./facts.ts";
import { FILE_CHECKS } from "./file_checks.ts";
import { SESSION_CHECKS } from "./session_checks.ts";
import { TLS_CHECKS } from "./tls_checks.ts";

/** In the order in which they are shown. */
export const CHECKS: readonly Check[] = [...CONNECTION_CHECKS, ...TLS_CHECKS, ...SESSION_CHECKS, ...FILE_CHECKS];

/** What a check has found, or why it could not look. */
export interface DoctorFinding {
  /** Name of the check. */
  readonly id: string;
  readonly severity: Severity | "skipped";
  /** What was found, or why nothing was. */
  readonly finding: string;
  /** What to do about it; with warnings and errors only. */
  readonly remedy?: string;
  /** Page of the documentation about it; with notes, warnings and errors. */
  readonly page?: string;
}

/** Lets all checks look at what was found out. */
export function judge(notes: Notes, examination: Examination, now: Date): DoctorFinding[] {
  return CHECKS.flatMap((check) => {
    const facts: Partial<Facts> = {};
    for (const name of check.needs) {
      if (!take(facts, notes, name)) {
        return [{ id: check.id, severity: "skipped" as const, finding: notes.reasonFor(name) }];
      }
    }
    const verdict = check.judge({ ...facts as Facts, examination, now });
    return verdict === undefined ? [] : [toFinding(check, verdict)];
  });
}

/** Takes a fact over; returns whether it is known. */
function take<Name extends FactName>(facts: Partial<Facts>, notes: Notes, name: Name): boolean {
  const fact = notes.look(name);
  if (fact === undefined) return false;
  facts[name] = fact;
  return true;
}

function toFinding({ id, remedy, page }: Check, verdict: Verdict): DoctorFinding {
  const { severity, finding } = verdict;
  if (severity === "ok") return { id, severity, finding };
  if (severity === "note") return { id, severity, finding, page };
  return { id, severity, finding, remedy: verdict.remedy ?? remedy, page };
}
