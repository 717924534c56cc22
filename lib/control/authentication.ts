/**
 * Checking passwords and certificates, and counting that.
 *
 * Whoever hears nothing of a check may still learn from it: a client that leaves as soon as a right password would have
 * been answered knows that it was wrong. So an attempt counts when it begins, and success alone takes that back.
 *
 * @module
 */

import { type Account, AuthorizerBusyError, LoginRefusedError } from "../accounts/authorizer.ts";
import type { LoginFailure } from "../commands/command.ts";
import { abortable } from "../deadline.ts";
import { addressBlock } from "../protocol/host_port.ts";
import type { SessionState } from "./session_state.ts";
import type { LoginAttempt } from "../state/state.ts";

/**
 * Checks a name and password; see `CommandContext.authenticate()`.
 *
 * @param options.signal Aborts when the session ends.
 */
export async function authenticate(
  state: SessionState,
  login: { readonly username: string; readonly password: string },
  { signal }: { readonly signal: AbortSignal },
): Promise<Account | LoginFailure> {
  const { service, session } = state;
  const credentials = { ...login, remoteHost: session.remote.host, tls: session.tls };
  using attempt = await service.state.beginAttempt(credentials.remoteHost, signal);
  if (attempt === undefined) return "banned";
  const decision = Promise.try(() => service.authorizer.authenticate(credentials, { signal }));
  // An authorizer that does not heed the signal keeps nobody else of the address waiting.
  const answer = await abortable(decision, signal).then(checkAccount).catch(async (error) => {
    if (error instanceof LoginRefusedError) return error;
    if (error instanceof AuthorizerBusyError && !error.countsAsFailure) attempt.giveBack();
    else await countFailure(state, attempt);
    throw error;
  });
  if (answer === undefined || answer instanceof LoginRefusedError) {
    return await countFailure(state, attempt, answer?.message) ? "wrongAndBanned" : "wrong";
  }
  attempt.giveBack();
  return answer;
}

/**
 * Looks for the account of a client that needs no password; see `CommandContext.authorize()`. A client that cannot do without one has
 * guessed nothing, and so does not fail.
 *
 * @param options.signal Aborts when the session ends.
 */
export async function authorize(
  state: SessionState,
  username: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<Account | "banned" | undefined> {
  const { service, session } = state;
  const { authorizer } = service;
  if (session.tls?.peerCertificate === undefined || authorizer.authorize === undefined) return undefined;
  const credentials = { username, remoteHost: session.remote.host, tls: session.tls };
  using attempt = await service.state.beginAttempt(credentials.remoteHost, signal);
  if (attempt === undefined) return "banned";
  const decision = Promise.try(() => authorizer.authorize?.(credentials, { signal }));
  const answer = await abortable(decision, signal).then(checkAccount).catch(async (error) => {
    if (error instanceof LoginRefusedError) return error;
    if (error instanceof AuthorizerBusyError) attempt.giveBack();
    else await countFailure(state, attempt);
    throw error;
  });
  attempt.giveBack();
  if (!(answer instanceof LoginRefusedError)) return answer;
  service.emit("loginFailed", { ...state.event, reason: answer.message });
  return undefined;
}

/** Returns whether the address is banned now. */
async function countFailure(
  { service, session, event }: SessionState,
  attempt: LoginAttempt,
  reason?: string,
): Promise<boolean> {
  service.emit("loginFailed", { ...event, ...reason !== undefined && { reason } });
  const { isBanned, bannedForSeconds: seconds } = await attempt.fail();
  if (seconds !== undefined) service.emit("banned", { address: addressBlock(session.remote.host), seconds });
  return isBanned;
}

/**
 * Checks the answer of an authorizer. Programs bring their own, and the types do not hold those in JavaScript.
 *
 * @throws {TypeError} When it is neither an account nor `undefined`.
 */
function checkAccount(account: Account | undefined): Account | undefined {
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
