/**
 * Files that the second factors of users name.
 *
 * @module
 */

import type { Configuration } from "../settings/table.ts";

/** Files with secrets of codes. */
export function codeSecretFilesOf({ users }: Pick<Configuration, "users">): readonly string[] {
  return users.flatMap(({ totp }) => totp?.secretFile === undefined ? [] : [totp.secretFile]);
}
