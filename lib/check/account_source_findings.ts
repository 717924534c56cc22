/**
 * Hooks and directories with accounts, as far as this host shows: what the server is known by there, and who is trusted. Nobody is
 * asked.
 *
 * @module
 */

import { checksPasswords, urlsOf } from "../settings/account_sources.ts";
import { errorAt, type Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";
import { RISKS } from "../settings/risks.ts";
import type { AccountSourceSettings, Configuration } from "../settings/table.ts";
import { readForCheck } from "./host_files.ts";
import { findReadableSecret } from "./readable_secret.ts";

/** What was found about them. */
export interface AccountSourceInspection {
  readonly findings: readonly Finding[];
  /** The authorities that are named, PEM, by the index of the source. */
  readonly accountAuthorities: Readonly<Record<number, string>>;
}

/** Reads the files that they need; what Deno does not permit to read is passed over. */
export async function inspectAccountSources({ accounts }: Configuration): Promise<AccountSourceInspection> {
  const findings: Finding[] = [];
  const accountAuthorities: Record<number, string> = {};
  for (const [index, source] of accounts.entries()) {
    if (!checksPasswords(source.type)) continue;
    const at = ["accounts", index];
    findings.push(...clearText(source, at), ...await findFilterProblem(source, at));
    for (const key of ["tokenFile", "bindPasswordFile"] as const) {
      const file = source[key];
      if (file === undefined) continue;
      const { text, mode } = await readForCheck(file, [...at, key], findings) ?? {};
      if (text === undefined) continue;
      findings.push(...findReadableSecret(file, mode, [...at, key]));
      const problem = key === "tokenFile" ? findTokenProblem(text) : findPasswordProblem(text);
      if (problem !== undefined) findings.push(errorAt([...at, key], `${file} ${problem}`));
    }
    if (source.ca === undefined) continue;
    const { text } = await readForCheck(source.ca, [...at, "ca"], findings) ?? {};
    if (text?.includes("-----BEGIN CERTIFICATE-----")) accountAuthorities[index] = text;
    else if (text !== undefined) findings.push(errorAt([...at, "ca"], `${source.ca} holds no certificate in PEM`));
  }
  return { findings, accountAuthorities };
}

function* clearText(source: AccountSourceSettings, at: KeyPath): Generator<Finding> {
  const { title, instead } = RISKS["clear-text-directory"];
  for (const [index, value] of urlsOf(source).entries()) {
    const isClear = value.startsWith("http:") || (value.startsWith("ldap:") && !source.startTls);
    if (!isClear) continue;
    const path = source.urls === undefined ? [...at, "url"] : [...at, "urls", index];
    yield { severity: "risk", risk: "clear-text-directory", path, value, message: `${title}. ${instead}` };
  }
}

async function findFilterProblem(source: AccountSourceSettings, at: KeyPath): Promise<Finding[]> {
  const given = (["searchFilter", "groupFilter"] as const).filter((key) => source[key] !== undefined);
  if (given.length === 0) return [];
  const { findProblemOfFilter } = await import("../accounts/ldap/ldap_filter.ts"); // loaded where there is a directory
  return given.flatMap((key) => {
    const problem = findProblemOfFilter(source[key] ?? "");
    return problem === undefined ? [] : [errorAt([...at, key], problem)];
  });
}

function findTokenProblem(text: string): string | undefined {
  return /^[\x21-\x7e]{16,}$/.test(text.trim())
    ? undefined
    : "has to hold a token of 16 characters or more, and nothing else";
}

function findPasswordProblem(text: string): string | undefined {
  return text.split(/\r?\n/)[0] === "" ? "has no password on its first line" : undefined;
}
