/**
 * Object stores of a configuration, as far as this host shows: their keys and authorities. Nothing is asked of the stores.
 *
 * @module
 */

import { errorAt, type Finding } from "../settings/finding.ts";
import type { RiskFinding } from "../settings/setting_risks.ts";
import { RISKS } from "../settings/risks.ts";
import type { Configuration } from "../settings/table.ts";
import { ExitError } from "./exit_error.ts";
import { PemFileError, readPemFile } from "./host_files.ts";
import { type StoreFile, storeFilesOf } from "./store_files.ts";
import { findReadableSecret } from "./readable_secret.ts";

/** What was found about stores. */
export interface StoreInspection {
  readonly findings: readonly Finding[];
  /** The authorities that are named, PEM, by the name of the store. */
  readonly storeAuthorities: Readonly<Record<string, string>>;
}

/** Finds stores that are spoken to in clear. */
export function findStoreRisks({ stores }: Configuration): RiskFinding[] {
  return Object.entries(stores).flatMap(([name, { endpoint }]): RiskFinding[] => {
    if (!endpoint.startsWith("http:")) return [];
    const { title, instead } = RISKS["clear-text-store"];
    const path = ["stores", name, "endpoint"];
    return [{ severity: "risk", risk: "clear-text-store", path, value: endpoint, message: `${title}. ${instead}` }];
  });
}

/** Reads the files of the stores; what Deno does not permit to read is passed over. */
export async function inspectStores(configuration: Configuration): Promise<StoreInspection> {
  const findings: Finding[] = [...findStoreRisks(configuration)];
  const storeAuthorities: Record<string, string> = {};
  for (const file of storeFilesOf(configuration)) {
    if ((await Deno.permissions.query({ name: "read", path: file.path })).state !== "granted") continue;
    try {
      const { text, mode } = await readPemFile(file.path, file.key);
      findings.push(...findFileProblems(file, text, mode));
      const [, name, key] = file.key;
      if (key === "ca") storeAuthorities[String(name)] = text;
    } catch (error) {
      if (!(error instanceof ExitError)) throw error;
      const path = error instanceof PemFileError ? error.path : file.key;
      findings.push({ severity: "error", path, message: error.message, hint: error.hint });
    }
  }
  return { findings, storeAuthorities };
}

function* findFileProblems(
  { key, path, isSecret }: StoreFile,
  text: string,
  mode: number | undefined,
): Generator<Finding> {
  const isCa = key.at(-1) === "ca";
  if (isCa && !text.includes("-----BEGIN CERTIFICATE-----")) yield errorAt(key, `${path} holds no certificate in PEM`);
  if (!isCa && !/^\S+$/.test(text.trim())) yield errorAt(key, `${path} has to hold one word, and nothing else`);
  if (isSecret) yield* findReadableSecret(path, mode, key);
}
