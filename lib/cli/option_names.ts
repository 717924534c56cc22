/**
 * What is found about a configuration that stands on the command line alone: named by option, since there is no file.
 *
 * @module
 */

import type { Finding } from "../settings/finding.ts";
import { FLAG_ROWS } from "../settings/flags.ts";
import { formatPath } from "../settings/key_path.ts";

/** Options that mean a key, for servers without a file. */
const OPTIONS: ReadonlyMap<string, string> = new Map([
  ...FLAG_ROWS.map(({ path, name }): [string, string] => [formatPath(path), `--${name}`]),
  ["anonymous.home", "DIR"],
  ["anonymous.permissions", "--write without --username"],
  ["listen", "--interface"],
  ["listen[1]", "--implicit-port"],
  ["listen[1].port", "--implicit-port"],
  ["listen[1].tls", "--implicit-port"],
  ["users[0].home", "DIR"],
  ["users[0].name", "--username"],
  ["users[0].password", "--password-file"],
]);

/** Describes a finding where there is no file: with the option behind it, in place of the key. */
export function describeOptionFinding(finding: Finding): string {
  const { message, risk } = finding;
  const option = optionFor(finding);
  const text = option === undefined ? message : `${message} (${option})`;
  return risk === undefined ? text : `${text} (risk ${risk})`;
}

/** The option that means the key of a finding, with its value where it has one. */
export function optionFor({ path, value }: Finding): string | undefined {
  const option = OPTIONS.get(formatPath(path));
  return option === undefined || value === undefined ? option : `${option} ${value}`;
}
