/**
 * Checks of the login, of commands, and of data connections.
 *
 * @module
 */

import { isInRange, parseAddressRange } from "../protocol/address_range.ts";
import { sameHost } from "../protocol/host_port.ts";
import { type Check, defineCheck, error, ok, warning } from "./check.ts";
import type { TransferEnd } from "./facts.ts";
import { describeEnd } from "./observe_files.ts";
import { isComplete, replyText } from "./transfers.ts";

const FIREWALLS = "docs/nat-and-firewalls.md";

/** Addresses that mean something inside a network only (RFC 1918, RFC 6598, RFC 3927, RFC 1122). */
const PRIVATE_RANGES = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "127.0.0.0/8",
]
  .map(parseAddressRange);

/** In the order in which they are shown. */
export const SESSION_CHECKS: readonly Check[] = [
  defineCheck({
    id: "login",
    looksAt: "whether the login succeeds",
    needs: ["login"],
    remedy: "look at name and password, and into the server's log",
    page: "docs/troubleshooting.md#521-to-534-protection-and-login",
    judge: ({ login: { user, reply } }) =>
      reply.code === 230 ? ok(`logged in as ${user}`) : error(`the login as ${user} gets "${replyText(reply)}"`),
  }),
  featureCheck("utf8", /^UTF8$/, "names may be read in another encoding than they were written in", "UTF8"),
  featureCheck("mlsd", /^MLS[TD]\b/, "clients have to guess at the form, the times and the zone of listings", "MLST"),
  featureCheck("rest", /^REST\b.*\bSTREAM/, "interrupted transfers begin anew", "REST STREAM"),
  defineCheck({
    id: "epsv",
    looksAt: "whether EPSV is known",
    needs: ["epsv"],
    remedy:
      "use a server, or a firewall, that lets it pass: without it there is no IPv6, and no NAT without PASV's address",
    page: "docs/interop.md#data-connections",
    judge: ({ epsv }) => epsv === true ? ok("EPSV is known") : warning(`EPSV gets "${replyText(epsv)}"`),
  }),
  defineCheck({
    id: "passive-address",
    looksAt: "whether PASV announces an address that clients reach",
    needs: ["pasv", "connection"],
    remedy: "let the server announce the address that clients come to (passive.address), or the router rewrite nothing",
    page: `${FIREWALLS}#behind-a-router`,
    judge: ({ pasv, connection, examination: { expectedAddresses } }) => {
      if ("reply" in pasv) return warning(`PASV gets "${replyText(pasv.reply)}"`);
      const { announced } = pasv;
      const dialled = "address" in connection ? connection.address : "";
      if (expectedAddresses !== undefined) {
        return expectedAddresses.some((address) => sameHost(address, announced))
          ? ok(`PASV announces ${announced}, as the configuration says`)
          : error(`PASV announces ${announced}, and not ${expectedAddresses.join(" or ")}, as the configuration says`);
      }
      if (sameHost(announced, dialled)) return ok(`PASV announces ${announced}`);
      if (isPrivate(announced)) {
        return error(
          `PASV announces ${announced}, which is private, to clients that come to ${dialled}: they get no files`,
        );
      }
      return warning(
        `PASV announces ${announced} to clients that come to ${dialled}: those that obey it may get no files`,
      );
    },
  }),
  defineCheck({
    id: "passive-ports",
    looksAt: "whether passive ports are open",
    needs: ["passivePorts"],
    remedy:
      "open the server's range of passive ports in each firewall, forward it in each router, and give the server no other",
    page: `${FIREWALLS}#finding-out-where-it-hangs`,
    judge: ({ passivePorts: { tried, closed } }) => {
      const range = `${Math.min(...tried)} to ${Math.max(...tried)}`;
      if (closed.size === 0) return ok(`${tried.length} ports tried, from ${range}`);
      const list = [...closed].map(([port, reason]) => `${port}: ${reason}`).join(", ");
      return error(`${closed.size} of ${tried.length} ports cannot be reached (${list})`);
    },
  }),
  defineCheck({
    id: "bounce",
    looksAt: "whether the server would connect to others than its client",
    needs: ["bounce"],
    remedy:
      "switch active mode off, or allow the client's own address only: others can be attacked through it (RFC 2577)",
    page: `${FIREWALLS}#active-mode`,
    judge: ({ bounce }) => {
      const codes = bounce.map(({ reply }) => reply?.code ?? 0);
      // Some servers connect at once, and say 425 because nobody is there.
      if (codes.some((code) => code > 0 && code < 500)) {
        return error(`an address of a third party is taken (FTP bounce; PORT and EPRT get ${codes.join(", ")})`);
      }
      return codes.includes(0)
        ? warning("PORT with the address of a third party is not answered, as if the server tried to connect to it")
        : ok(`an address of a third party is refused (${codes.join(", ")})`);
    },
  }),
  defineCheck({
    id: "listing",
    looksAt: "whether a listing over a protected data connection succeeds",
    needs: ["listing"],
    remedy: "look at what is said of passive ports and of TLS, and into the server's log",
    page: "docs/troubleshooting.md#425-426-the-data-connection",
    judge: ({ listing }) =>
      isComplete(listing) ? ok("LIST succeeds with TLS") : error(`LIST ends with ${describeEnd(listing)}`),
  }),
  defineCheck({
    id: "session-reuse",
    looksAt: "whether data connections have to resume the TLS session",
    needs: ["freshListing", "listing"],
    remedy:
      "let them be (tls.sessionReuse: allow; vsftpd: require_ssl_reuse=NO; ProFTPD: TLSOptions NoSessionReuseRequired), " +
      "or use clients that resume",
    page: "docs/tls.md#session-reuse",
    judge: ({ freshListing, listing }) => {
      if (isComplete(freshListing)) return ok("data connections need not resume");
      if (!isComplete(listing) && !isAboutReuse(freshListing)) return undefined; // As the listing says
      return warning(
        `data connections have to resume: else LIST ends with ${describeEnd(freshListing)}; many clients cannot`,
      );
    },
  }),
  defineCheck({
    id: "clear-text-data",
    looksAt: "whether files and listings may go without TLS in a session with it",
    needs: ["clearListing"],
    remedy: "demand TLS for data connections, too (tls.policy: required)",
    page: "docs/tls.md#policy",
    judge: ({ clearListing }) =>
      isComplete(clearListing)
        ? warning("a listing came in clear: whoever listens reads files of clients that forget PROT P")
        : ok(`LIST without TLS ends with ${describeEnd(clearListing)}`),
  }),
];

/** A check of a line of FEAT. */
function featureCheck(id: string, line: RegExp, otherwise: string, name: string): Check {
  return defineCheck({
    id,
    looksAt: `whether FEAT lists ${name}`,
    needs: ["features"],
    remedy: "switch it on, or use a server that has it",
    page: "docs/interop.md#commands-and-listings",
    judge: ({ features }) =>
      features.some((feature) => line.test(feature))
        ? ok(`FEAT lists ${name}`)
        : warning(`FEAT lists no ${name}: ${otherwise}`),
  });
}

function isAboutReuse({ reply }: TransferEnd): boolean {
  return reply?.code === 522 || /reus|resum/i.test(reply?.lines.join(" ") ?? "");
}

function isPrivate(address: string): boolean {
  return sameHost(address, "0.0.0.0") ||
    PRIVATE_RANGES.some((range) => range !== undefined && isInRange(address, range));
}
