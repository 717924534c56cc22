/**
 * Why a directory does not let somebody in.
 *
 * @module
 */

import { LoginRefusedError } from "../authorizer.ts";
import type { LdapResultError } from "./ldap_connection.ts";

/** Result codes of RFC 4511 §4.1.9. */
const NO_SUCH_OBJECT = 32;
const INVALID_DN = 34;
const INAPPROPRIATE_AUTHENTICATION = 48;
const INVALID_CREDENTIALS = 49;
const CONSTRAINT_VIOLATION = 19;
const UNWILLING = 53;

/** What Active Directory says behind `data` of code 49, to who has the right password. */
const ACTIVE_DIRECTORY_REASONS: Readonly<Record<string, string>> = {
  "530": "the directory does not let it in at this hour",
  "531": "the directory does not let it in from here",
  "532": "its password has expired",
  "533": "it is disabled in the directory",
  "701": "it has expired in the directory",
  "773": "its password has to be changed first",
  "775": "it is locked in the directory",
};

/**
 * Returns what to do after a bind that has failed: `"wrong"` for a wrong name or password, an error with the reason where there is
 * one, `undefined` where the directory has not said no to this login.
 */
export function refusalOf({ code, message }: LdapResultError): "wrong" | LoginRefusedError | undefined {
  switch (code) {
    case INVALID_CREDENTIALS: {
      const [, data = ""] = /\bdata ([0-9a-f]{3})\b/i.exec(message) ?? [];
      const reason = ACTIVE_DIRECTORY_REASONS[data.toLowerCase()];
      return reason === undefined ? "wrong" : new LoginRefusedError(reason);
    }
    case NO_SUCH_OBJECT:
    case INVALID_DN:
    case INAPPROPRIATE_AUTHENTICATION:
      return "wrong";
    case CONSTRAINT_VIOLATION:
    case UNWILLING:
      return new LoginRefusedError(`the directory refuses it (result ${code})`);
    default:
      return undefined;
  }
}
