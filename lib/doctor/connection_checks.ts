/**
 * Checks of how a server is reached and what it says first.
 *
 * @module
 */

import { type Check, defineCheck, error, ok, warning } from "./check.ts";
import { replyText } from "./transfers.ts";
import { shown } from "./wire_error.ts";

const TROUBLESHOOTING = "docs/troubleshooting.md";

/** A number with a dot in it, behind the name of a program or the word version; addresses are taken out before. */
const VERSION = /(?:^|[^\d.])(?:v(?:ersion)?\s*)?\d{1,3}\.\d{1,3}(?:\.\d{1,3})?[a-z]?\d*(?![\d.])/i;
const ADDRESS = /\d{1,3}(?:\.\d{1,3}){3}/g;

/** In the order in which they are shown. */
export const CONNECTION_CHECKS: readonly Check[] = [
  defineCheck({
    id: "connection",
    looksAt: "whether the port answers",
    needs: ["connection"],
    remedy:
      "start the server, let it listen on an address that is reached from here, and open its port in the firewall",
    page: `${TROUBLESHOOTING}#nobody-connects-at-all`,
    judge: ({ connection }) =>
      "failure" in connection ? error(connection.failure) : ok(`reached at ${connection.address}`),
  }),
  defineCheck({
    id: "greeting",
    looksAt: "whether the server greets with 220",
    needs: ["greeting"],
    remedy: "look into the server's log: a limit, a ban, or a service that is not ready",
    page: `${TROUBLESHOOTING}#it-greets-with-421-and-closes`,
    judge: ({ greeting }) => {
      if ("failure" in greeting) return error(greeting.failure);
      const { reply } = greeting;
      return reply.code === 220
        ? ok("the server greets with 220")
        : error(`the server greets with "${replyText(reply)}"`);
    },
  }),
  defineCheck({
    id: "tls-mode",
    looksAt: "whether explicit and implicit TLS are mixed up",
    needs: ["mode"],
    remedy: "let clients of this port use the mode that it has, or set tls of the listener",
    page: "docs/tls.md#explicit-or-implicit",
    judge: ({ mode, examination }) => {
      if (mode === examination.mode) return ok(`TLS is ${mode}`);
      return mode === "implicit"
        ? error("the port begins with TLS (implicit) and not with a greeting: clients with explicit TLS wait in vain")
        : error("the port greets in clear (explicit TLS): clients with implicit TLS fail at once");
    },
  }),
  defineCheck({
    id: "greeting-version",
    looksAt: "whether the greeting tells the version of the software",
    needs: ["greeting"],
    remedy: "set a banner without it: it tells attackers which holes to try",
    page: "docs/configuration.md",
    judge: ({ greeting }) => {
      if ("failure" in greeting || greeting.reply.code !== 220) return undefined;
      const text = greeting.reply.lines.join(" ");
      return VERSION.test(text.replace(ADDRESS, ""))
        ? warning(`the greeting is "${shown(text)}"`)
        : ok("the greeting tells none");
    },
  }),
  defineCheck({
    id: "tls-offered",
    looksAt: "whether AUTH TLS is taken",
    needs: ["authTls"],
    remedy: "switch TLS on, with a certificate: names, passwords and files go over the network in clear",
    page: "docs/tls.md#policy",
    judge: ({ authTls }) =>
      authTls.code === 234 ? ok("AUTH TLS is taken") : error(`AUTH TLS gets "${replyText(authTls)}"`),
  }),
  defineCheck({
    id: "clear-text-login",
    looksAt: "whether USER is taken without TLS",
    needs: ["clearUser"],
    remedy: "demand TLS before the login (tls.policy: required)",
    page: "docs/tls.md#policy",
    judge: ({ clearUser }) =>
      clearUser.code === 331 || clearUser.code === 230
        ? error(`USER gets ${clearUser.code} without TLS: a client may send the password in clear`)
        : ok(`USER gets ${clearUser.code} without TLS`),
  }),
  defineCheck({
    id: "session",
    looksAt: "whether sessions last until everything was looked at",
    needs: ["interruptions"],
    remedy: "look into the server's log for the reason",
    page: `${TROUBLESHOOTING}#the-session-ends-while-a-long-transfer-runs-or-right-after-it`,
    judge: ({ interruptions }) =>
      interruptions.length === 0 ? undefined : error(`could not look at everything (${interruptions.join("; ")})`),
  }),
];
