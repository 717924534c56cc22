/**
 * Checking a password, and counting that.
 *
 * Whoever hears nothing of a check may still learn from it: a client that leaves as soon as a right password would have
 * been answered knows that it was wrong. So an attempt counts when it begins, and success alone takes that back.
 *
 * @module
 */

import type { Account } from "../accounts/authorizer.ts";
import { AuthorizerBusyError } from "../accounts/authorizer_busy_error.ts";
import type { LoginFailure } from "../commands/command.ts";
import { abortable } from "../deadline.ts";
import { addressBlock } from "../protocol/host_port.ts";
import { type Session, sessionEvent } from "../session/session.ts";
import { checkAccount } from "./checked_account.ts";
import type { Service } from "./service.ts";
import type { LoginAttempt } from "../state/state.ts";

/** What it needs of the control connection. */
export interface AuthenticatingHost {
  readonly service: Pick<Service, "authorizer" | "state" | "emit">;
  readonly session: Session;
  /** Aborts when the session ends. */
  readonly signal: AbortSignal;
}

/** Checks a name and password; see `CommandContext.authenticate()`. */
export async function authenticate(
  host: AuthenticatingHost,
  username: string,
  password: string,
): Promise<Account | LoginFailure> {
  using attempt = await host.service.state.beginAttempt(host.session.remote.host, host.signal);
  if (attempt === undefined) return "banned";
  const account = await askAuthorizer(host, username, password).catch(async (error) => {
    if (error instanceof AuthorizerBusyError && !error.countsAsFailure) attempt.giveBack();
    else await countFailure(host, attempt);
    throw error;
  });
  if (account === undefined) return await countFailure(host, attempt) ? "wrongAndBanned" : "wrong";
  attempt.giveBack();
  return account;
}

async function askAuthorizer(
  { service, session, signal }: AuthenticatingHost,
  username: string,
  password: string,
): Promise<Account | undefined> {
  const credentials = { username, password, remoteHost: session.remote.host };
  const decision = Promise.try(() => service.authorizer.authenticate(credentials, { signal }));
  // An authorizer that does not heed the signal keeps nobody else of the address waiting.
  return checkAccount(await abortable(decision, signal));
}

/** Returns whether the address is banned now. */
async function countFailure({ service, session }: AuthenticatingHost, attempt: LoginAttempt): Promise<boolean> {
  service.emit("loginFailed", sessionEvent(session));
  const { isBanned, bannedForSeconds: seconds } = await attempt.fail();
  if (seconds !== undefined) service.emit("banned", { address: addressBlock(session.remote.host), seconds });
  return isBanned;
}
