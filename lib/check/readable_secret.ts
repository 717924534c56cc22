/**
 * Files with secrets that others on this host can read.
 *
 * @module
 */

import type { Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";

const READABLE_BY_OTHERS = 0o004;

/** Finds that others can read a file; nothing where its mode is not known. */
export function findReadableSecret(path: string, mode: number | undefined, key: KeyPath): Finding[] {
  if (mode === undefined || (mode & READABLE_BY_OTHERS) === 0) return [];
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  const message = `${path} has mode ${octal}, which lets others on this host read it; use chmod 600`;
  return [{ severity: "risk", risk: "key-readable-by-others", path: key, message }];
}
