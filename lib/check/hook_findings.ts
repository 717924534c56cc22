/**
 * Hooks of a configuration, as far as this host shows: their tokens and authorities. No receiver is asked.
 *
 * @module
 */

import { keyOf } from "../hooks/hook_message.ts";
import { errorAt, type Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";
import { RISKS } from "../settings/risks.ts";
import type { Configuration } from "../settings/table.ts";
import { hooksOf } from "./hook_files.ts";
import { readForCheck } from "./host_files.ts";
import { findReadableSecret } from "./readable_secret.ts";

/** What was found about hooks. */
export interface HookInspection {
  readonly findings: readonly Finding[];
  /** The authorities that are named, PEM, by the name of the hook. */
  readonly hookAuthorities: Readonly<Record<string, string>>;
}

/** Reads the files of hooks; what Deno does not permit to read is passed over. */
export async function inspectHooks(configuration: Configuration): Promise<HookInspection> {
  const findings: Finding[] = [];
  const hookAuthorities: Record<string, string> = {};
  for (const [name, { url, tokenFile, ca }] of hooksOf(configuration)) {
    const at = ["hooks", name];
    if (url.startsWith("http:")) findings.push(clearText([...at, "url"], url));
    const token = await readForCheck(tokenFile, [...at, "tokenFile"], findings);
    if (token !== undefined) findings.push(...tokenFindings(tokenFile, [...at, "tokenFile"], token));
    if (ca === undefined) continue;
    const key = [...at, "ca"];
    const text = (await readForCheck(ca, key, findings))?.text;
    if (text?.includes("-----BEGIN CERTIFICATE-----")) hookAuthorities[name] = text;
    else if (text !== undefined) findings.push(errorAt(key, `${ca} holds no certificate in PEM`));
  }
  return { findings, hookAuthorities };
}

function clearText(path: KeyPath, value: string): Finding {
  const { title, instead } = RISKS["clear-text-hook"];
  return { severity: "risk", risk: "clear-text-hook", path, value, message: `${title}. ${instead}` };
}

function* tokenFindings(
  file: string,
  path: KeyPath,
  { text, mode }: { readonly text: string; readonly mode?: number | undefined },
): Generator<Finding> {
  try {
    void keyOf(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const hint = "echo whsec_$(openssl rand -base64 32)";
    yield { ...errorAt(path, `${file} ${error.message}`), hint };
  }
  yield* findReadableSecret(file, mode, path);
}
