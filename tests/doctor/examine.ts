/**
 * Examinations of servers of tests.
 *
 * @module
 */

import { type DoctorFinding, judge } from "../../lib/doctor/checks.ts";
import type { Examination } from "../../lib/doctor/facts.ts";
import { observe } from "../../lib/doctor/observe.ts";
import { USER } from "../helpers/test_server.ts";

/**
 * What differs from an examination of 127.0.0.1 with the user of test servers, who logs in whatever the certificate
 * is, and stores nothing.
 */
export type ExamineOptions = Partial<Examination> & {
  readonly port: number;
  /** Longest wait for one thing, in milliseconds. */
  readonly timeoutMs?: number;
};

/** What was found, by the names of the checks. */
export type Findings = Readonly<Record<string, DoctorFinding>>;

/** Looks at a server. */
export async function examine({ timeoutMs = 5000, ...options }: ExamineOptions): Promise<Findings> {
  const examination: Examination = {
    host: "127.0.0.1",
    mode: "explicit",
    name: "127.0.0.1",
    account: { user: USER.name, password: USER.password },
    isInsecure: true,
    triesAnonymous: false,
    mayUpload: false,
    ...options,
  };
  const stop = new AbortController();
  const notes = await observe(examination, { timeoutMs, signal: stop.signal });
  return Object.fromEntries(judge(notes, examination, new Date()).map((finding) => [finding.id, finding]));
}

/** The names of all checks with a finding of that severity. */
export function idsOf(findings: Findings, severity: DoctorFinding["severity"]): string[] {
  return Object.values(findings).filter((finding) => finding.severity === severity).map(({ id }) => id);
}
