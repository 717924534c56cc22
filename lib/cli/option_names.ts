/**
 * What is found about a configuration that comes from the command line alone: named by option, since there is no file.
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
  ["listen[0]", "--port"],
  ["listen[1]", "--implicit-port"],
  ["listen[1].port", "--implicit-port"],
  ["listen[1].tls", "--implicit-port"],
  ["users[0].home", "DIR"],
  ["users[0].name", "--username"],
  ["users[0].password", "--password-file"],
]);

/** Describes a finding where there is no file: with options in place of keys. */
export function describeOptionFinding(finding: Finding): string {
  const { risk } = finding;
  const option = optionFor(finding);
  const message = finding.message.replace(/[a-z]+(?:\.[a-zA-Z]+)+|\blisten\[\d\]/g, (key) => OPTIONS.get(key) ?? key);
  const text = option === undefined ? message : isSaidOf(message) ? `${option} ${message}` : `${message} (${option})`;
  return risk === undefined ? text : `${text} (risk ${risk})`;
}

/** Returns whether a message goes on from the name of what it is about. */
function isSaidOf(message: string): boolean {
  return /^(?:is|has) /.test(message);
}

/** The option that means the key of a finding, with its value where it has one. */
export function optionFor({ path, value }: Finding): string | undefined {
  const option = OPTIONS.get(formatPath(path));
  return option === undefined || value === undefined ? option : `${option} ${value}`;
}
