/**
 * Access control: USER, PASS, ACCT, REIN, QUIT (RFC 959 §4.1.1), HOST (RFC 7151); and its security extensions: AUTH, PBSZ, PROT,
 * CCC (RFC 2228 §3, RFC 4217).
 *
 * @module
 */

import { DEFAULT_MESSAGES } from "../accounts/authorizer.ts";
import { delay } from "../deadline.ts";
import { messageReply, type Reply, reply } from "../protocol/reply.ts";
import {
  loggedIn,
  loggedInWithoutPassword,
  loginRefused,
  reinitialized,
  type Session,
  userGiven,
  usernameOf,
} from "../session/session.ts";
import { requiresTlsOnData } from "../settings/settings.ts";
import type { CommandContext, CommandRequest } from "./command.ts";

/** The user whom anybody can be (RFC 1635). */
const ANONYMOUS = "anonymous";

/** A domain name, an IPv4 address, or an IPv6 address in brackets (RFC 7151 §3.1). */
const HOST_REGEXP = /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}._-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])$/u;

/**
 * USER: the same answer for every name, known or not, unless the client has shown a certificate that takes the place of a password
 * (RFC 2228 §3). Not beside a running transfer, whose end PASS would wait for.
 */
export function user(context: CommandContext, request: CommandRequest): Reply | Promise<Reply> {
  const wasLoggedIn = context.session.login.state === "loggedIn";
  if (wasLoggedIn) leave(context);
  context.update(userGiven(context.session, request.argument));
  const needsPassword = reply(
    331,
    wasLoggedIn ? "Previous account information was flushed, send password." : "Username ok, send password.",
  );
  const isAsked = context.session.tls?.peerCertificate !== undefined && context.transfer === undefined;
  return isAsked ? authorizeOr(needsPassword, context, request.argument) : needsPassword;
}

async function authorizeOr(needsPassword: Reply, context: CommandContext, username: string): Promise<Reply> {
  const account = await context.authorize(username);
  if (account === "banned") return BANNED;
  if (account === undefined) return needsPassword;
  return await logIn(context, loggedInWithoutPassword(context.session, account));
}

/** Refuses PASS where no USER came before it. */
export function passwordSequence(session: Session): Reply | undefined {
  switch (session.login.state) {
    case "none":
      return reply(503, "Login with USER first.");
    case "loggedIn":
      return session.login.withoutPassword ? undefined : reply(503, "User already authenticated.");
    case "passwordExpected":
      return undefined;
  }
}

/** PASS. */
export async function password(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const { login } = context.session;
  // Some clients send one whatever USER was answered.
  if (login.state === "loggedIn" && login.withoutPassword) return reply(230, "No password is needed.");
  if (login.state !== "passwordExpected") throw new Error("PASS was admitted without USER");
  const account = await context.authenticate(login.username, request.argument);
  if (account === "banned") return BANNED;
  if (account === "wrong" || account === "wrongAndBanned") return await refuseLogin(context, account);
  return await logIn(context, loggedIn(context.session, account));
}

/** Lets a user in, if there is a place. */
async function logIn(context: CommandContext, next: Session): Promise<Reply> {
  if (next.login.state !== "loggedIn") throw new Error("Nobody has logged in");
  const { account, withoutPassword } = next.login;
  if (!await context.acquireAccount(account)) return reply(421, "Too many sessions of this user.", "close");
  context.update(next);
  const { loginMessage, notice } = account;
  context.emit("loginSucceeded", notice);
  if (withoutPassword) return messageReply(232, loginMessage === DEFAULT_MESSAGES.login ? AUTHORIZED : loginMessage);
  return messageReply(230, notice === undefined ? loginMessage : `${notice}\n${loginMessage}`);
}

/** RFC 2228 §3. */
const AUTHORIZED = "User logged in, authorized by security data exchange.";

const BANNED = reply(421, "Too many failed logins, try again later.", "close");

async function refuseLogin(context: CommandContext, reason: "wrong" | "wrongAndBanned"): Promise<Reply> {
  const isAnonymous = usernameOf(context.session)?.toLowerCase() === ANONYMOUS;
  const text = isAnonymous ? "Anonymous access not allowed." : "Authentication failed.";
  context.update(loginRefused(context.session));
  const { timeouts, limits } = context.settings;
  await delay(timeouts.failedLogin * 1000, context.signal);
  if (reason === "wrongAndBanned") return BANNED;
  const last = limits.loginAttempts > 0 && context.session.loginFailures >= limits.loginAttempts;
  return last ? reply(530, `${text} Disconnecting.`, "close") : reply(530, text);
}

/** ACCT: names and passwords are all there is. */
export function accountInformation(): Reply {
  return reply(202, "No account information is needed.");
}

/** Refuses HOST where it can have no effect any more (RFC 7151 §3.2.2). */
export function hostSequence(session: Session): Reply | undefined {
  return session.login.state === "none" ? undefined : reply(503, "HOST must come before USER.");
}

/** HOST: all names lead to the one host there is (RFC 7151 §3). */
export function host(_context: CommandContext, request: CommandRequest): Reply {
  return HOST_REGEXP.test(request.argument) ? reply(220, "Host accepted.") : reply(501, "Invalid host name.");
}

/** REIN. */
export function reinitialize(context: CommandContext): Reply {
  leave(context);
  context.update(reinitialized(context.session));
  return reply(230, "Ready for new user.");
}

/** QUIT: answered at once; a running transfer goes on and its reply follows before the connection is closed. */
export function quit(context: CommandContext): Reply {
  const { login } = context.session;
  if (login.state !== "loggedIn") return reply(221, DEFAULT_MESSAGES.quit, "close");
  leave(context);
  return messageReply(221, login.account.quitMessage, "close");
}

/** Ends a login. A running transfer keeps its data connection, made or not (RFC 959 §4.1.1). */
function leave(context: CommandContext): void {
  context.emit("loggedOut");
  context.releaseAccount();
  if (context.transfer === undefined) context.dataPort.close();
}

/** Mechanisms that all mean TLS (RFC 4217 §17); curl asks for SSL first. */
const TLS_MECHANISMS = ["TLS", "TLS-C", "SSL", "TLS-P"];

/** AUTH: the handshake follows the 234. */
export function authenticate(context: CommandContext, request: CommandRequest): Reply {
  const mechanism = request.argument.toUpperCase();
  if (context.session.tls !== undefined) return reply(503, "Already using TLS.");
  if (!TLS_MECHANISMS.includes(mechanism)) return reply(504, "Unrecognized encryption type (use TLS or SSL).");
  if (!context.tlsAvailable) return reply(502, "TLS is off on this server.");
  return reply(234, `AUTH ${mechanism} successful.`, "startTls");
}

/** PBSZ: TLS needs no buffer size, so any is answered by 0 (RFC 4217 §8). */
export function protectionBufferSize(context: CommandContext): Reply {
  if (context.session.tls === undefined) {
    return reply(503, "PBSZ not allowed on insecure control connection.");
  }
  context.update({ bufferSizeSet: true });
  return reply(200, "PBSZ=0 successful.");
}

/** PROT (RFC 4217 §9). */
export function dataChannelProtection(context: CommandContext, request: CommandRequest): Reply {
  const { session } = context;
  if (session.tls === undefined) return reply(503, "PROT not allowed on insecure control connection.");
  if (!session.bufferSizeSet) return reply(503, "You must issue the PBSZ command prior to PROT.");
  switch (request.argument.toUpperCase()) {
    case "C":
      if (requiresTlsOnData(context.settings)) return reply(534, "Data connections must be protected; use PROT P.");
      return changeProtection(context, "C", "Protection set to Clear");
    case "P":
      return changeProtection(context, "P", "Protection set to Private");
    case "S":
    case "E":
      return reply(521, `PROT ${request.argument.toUpperCase()} unsupported (use C or P).`);
    default:
      return reply(504, "Unrecognized PROT type (use C or P).");
  }
}

function changeProtection(context: CommandContext, level: "C" | "P", text: string): Reply {
  // A port that was opened for the other kind of connection would greet the client in the wrong language.
  if (level !== context.session.protection) context.dataPort.close();
  context.update({ protection: level });
  return reply(200, text);
}

/** CCC is refused always: it would lay open the commands that follow (RFC 4217 §12.3). */
export function clearCommandChannel(): Reply {
  return reply(534, "The control connection stays protected.");
}
