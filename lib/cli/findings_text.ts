/**
 * Findings as lines for people.
 *
 * @module
 */

import type { Finding } from "../config/finding.ts";

/** `passive.ports: holds 5060, …`, with the id of a risk behind it. */
export function describeFinding({ where, message, risk }: Finding): string {
  const text = where === "" ? message : `${where}: ${message}`;
  return risk === undefined ? text : `${text} (risk ${risk})`;
}

/** Options that mean a key, for servers without a file. */
const OPTIONS: Readonly<Record<string, string>> = {
  "anonymous.permissions": "--write without --username",
  "tls.certificate": "--certfile",
  "tls.key": "--keyfile",
  "users[0].password": "--password-file",
};

/** The same where there is no file: with the option in place of the key. */
export function describeOptionFinding({ where, message, risk }: Finding): string {
  const option = OPTIONS[where];
  const text = option === undefined ? message : `${message} (${option})`;
  return risk === undefined ? text : `${text} (risk ${risk})`;
}

/** What to type about findings that stop the server. */
export function hintFor(findings: readonly Finding[], file: string | undefined): string {
  const risk = findings.find((finding) => finding.risk !== undefined)?.risk;
  if (risk === undefined) return "ftpsd check tells everything at once";
  if (risk === "anonymous-write" && file === undefined) {
    return "add --username NAME --password-file FILE, or --force-anonymous-write";
  }
  return `ftpsd check --explain ${risk}; to accept it: --accept-risk ${risk}, or acceptRisks in the file`;
}
