/**
 * A check of what an authorizer gives. Programs bring their own, and the types do not hold those in JavaScript.
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";

/**
 * Checks the answer of an authorizer.
 *
 * @throws {TypeError} When it is neither an account nor `undefined`.
 */
export function checkAccount(account: Account | undefined): Account | undefined {
  if (account === undefined) return undefined;
  if (typeof account !== "object" || account === null) throw wrong("its type");
  const { username, fileSystem, permissions, loginMessage, quitMessage, hasPermission } = account;
  for (const [name, text] of Object.entries({ username, permissions, loginMessage, quitMessage })) {
    if (typeof text !== "string") throw wrong(name);
  }
  if (typeof hasPermission !== "function") throw wrong("hasPermission");
  if (typeof fileSystem !== "object" || fileSystem === null) throw wrong("fileSystem");
  const { stat, list, openRead } = fileSystem;
  if (![stat, list, openRead].every((method) => typeof method === "function")) throw wrong("fileSystem");
  return account;
}

function wrong(what: string): TypeError {
  return new TypeError(`Cannot use the account of the authorizer: ${what} is not what it must be`);
}
