/**
 * Access control: USER, PASS, REIN, QUIT (RFC 959 §4.1.1).
 *
 * @module
 */

import { delay } from "../deadline.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import type { Session } from "../session/session.ts";
import { flushed, loggedIn, loginRefused, userGiven } from "../session/transitions.ts";
import type { CommandContext, CommandRequest } from "./command.ts";

/** USER: the same answer for every name, known or not. */
export function user(context: CommandContext, request: CommandRequest): Reply {
  const wasLoggedIn = context.session.login.state === "loggedIn";
  if (wasLoggedIn) leave(context);
  context.update(userGiven(context.session, request.argument));
  return reply(
    331,
    wasLoggedIn ? "Previous account information was flushed, send password." : "Username ok, send password.",
  );
}

/** Refuses PASS where no USER stands before it. */
export function passwordSequence(session: Session): Reply | undefined {
  switch (session.login.state) {
    case "none":
      return reply(503, "Login with USER first.");
    case "loggedIn":
      return reply(503, "User already authenticated.");
    case "passwordExpected":
      return undefined;
  }
}

/** PASS. */
export async function password(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const { login } = context.session;
  if (login.state !== "passwordExpected") throw new Error("PASS was admitted without USER");
  if (context.isBanned) return BANNED;
  const account = await context.authenticate(login.username, request.argument);
  if (account === undefined) return await refuseLogin(context);
  if (!context.enterAccount(account)) return reply(421, "Too many sessions of this user.", "close");
  context.update(loggedIn(context.session, account));
  context.emit("loginSucceeded");
  return reply(230, account.loginMessage);
}

const BANNED = reply(421, "Too many failed logins, try again later.", "close");

async function refuseLogin(context: CommandContext): Promise<Reply> {
  context.emit("loginFailed");
  const isBanned = context.countFailedLogin();
  context.update(loginRefused(context.session));
  const { timeouts, limits } = context.settings;
  await delay(timeouts.failedLoginMs, context.signal);
  if (isBanned) return BANNED;
  const last = limits.loginAttempts > 0 && context.session.loginFailures >= limits.loginAttempts;
  return last ? reply(530, "Authentication failed. Disconnecting.", "close") : reply(530, "Authentication failed.");
}

/** REIN. */
export function reinitialize(context: CommandContext): Reply {
  leave(context);
  context.update(flushed(context.session));
  return reply(230, "Ready for new user.");
}

/** QUIT: answered at once; a running transfer goes on and its reply follows before the connection is closed. */
export function quit(context: CommandContext): Reply {
  const { login } = context.session;
  if (login.state !== "loggedIn") return reply(221, "Goodbye.", "close");
  leave(context);
  return reply(221, login.account.quitMessage, "close");
}

/** Tells of the end of a login. A running transfer keeps its data connection, made or not (RFC 959 §4.1.1). */
function leave(context: CommandContext): void {
  context.emit("loggedOut");
  context.leaveAccount();
  if (context.transfer === undefined) context.dataPort.close();
}
