/**
 * New passwords of users in the configuration file.
 *
 * @module
 */

import { parse } from "@std/yaml";
import type { PasswordReplacement } from "../accounts/password_store.ts";
import { readRegularFile } from "../check/host_files.ts";
import { replaceFile } from "../check/replace_file.ts";
import { editUsers } from "../settings/edit_users.ts";
import { decodeConfiguration } from "../settings/read_configuration.ts";

/**
 * Writes a new hash, and the day, into the entry of a user, and leaves all else as it is.
 *
 * @param day The day, such as `2026-11-29`.
 * @throws {Error} When the user has another password there than is known, or the file cannot be changed line by line.
 * @throws {ExitError} When it cannot be written.
 */
export async function writePassword(
  file: string,
  { name, from, hash }: Omit<PasswordReplacement, "source">,
  day: string,
): Promise<void> {
  const before = decodeConfiguration((await readRegularFile(file)).bytes, file);
  const given = parse(before, { schema: "core" }) as { readonly users?: unknown } | null;
  const users: readonly { readonly name?: unknown; readonly password?: unknown }[] = Array.isArray(given?.users)
    ? given.users
    : [];
  if (users.find((user) => user.name === name)?.password !== from) {
    throw new Error(`${file} has another password of ${JSON.stringify(name)} than the server; reload it`);
  }
  const patch = { password: hash, passwordChanged: day };
  await replaceFile(file, before, editUsers(before, { kind: "set", name, patch }));
}
