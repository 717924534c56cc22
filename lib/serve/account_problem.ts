/**
 * What is said in the log of an account that cannot be used.
 *
 * @module
 */

import type { ServerEventOf } from "../events.ts";

/** Most characters of a name that are shown; it may be what somebody has tried. */
const MAX_SHOWN = 100;

/** Makes the event. */
export function accountProblem(account: string, reason: string): ServerEventOf<"internalError"> {
  const shown = account.length > MAX_SHOWN ? `${account.slice(0, MAX_SHOWN)}…` : account;
  const message = `The account ${JSON.stringify(shown)} cannot log in: ${reason}`;
  return { event: "internalError", time: new Date(), message };
}
