/**
 * SITE PSWD: changes the password of whoever has logged in (RFC 959 §4.1.3, SITE).
 *
 * @module
 */

import { delay } from "../deadline.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import type { CommandContext, CommandRequest } from "./command.ts";

/** Two words, each of them in double quotes where it has blanks; a quote in quotes is written twice. */
const WORDS = /^(?:"((?:[^"]|"")+)"|([^" ]+)) (?:"((?:[^"]|"")+)"|([^" ]+))$/;

/** SITE PSWD. The old password is checked as at a login: a wrong one counts as a failed login of the address. */
export async function changePassword(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const { account, session, settings } = context;
  if (session.tls === undefined) return reply(550, "SSL/TLS required on the control channel.");
  if (account.changePassword === undefined) return reply(502, "The password of this account cannot be changed here.");
  const [given, wanted] = wordsOf(request.argument);
  if (given === undefined || wanted === undefined) {
    return reply(501, "Give the old and the new password, in double quotes where they have blanks.");
  }
  const checked = await context.authenticate(account.username, given);
  if (checked === "banned" || checked === "wrongAndBanned") {
    return reply(421, "Too many failed logins, try again later.", "close");
  }
  if (checked === "wrong") {
    await delay(settings.timeouts.failedLogin * 1000, context.signal);
    return reply(530, "Authentication failed.");
  }
  if (checked.changePassword === undefined) return reply(502, "The password of this account cannot be changed here.");
  const problem = await checked.changePassword({ old: given, password: wanted }, request);
  return problem === undefined
    ? reply(200, "Password changed.")
    : reply(553, `The new password is not taken: ${problem}.`);
}

/** Both words; none where there are not two. */
function wordsOf(argument: string): (string | undefined)[] {
  const [, quotedOld, plainOld, quotedNew, plainNew] = WORDS.exec(argument) ?? [];
  return [quotedOld?.replaceAll('""', '"') ?? plainOld, quotedNew?.replaceAll('""', '"') ?? plainNew];
}
