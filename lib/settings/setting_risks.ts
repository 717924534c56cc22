/**
 * The risks of a server's settings, and the error for one that is not accepted.
 *
 * @module
 */

import { InsecureConfigurationError } from "../accounts/permission.ts";
import { isInRange, parseAddressRange } from "../protocol/address_range.ts";
import { formatGroups, ipFamily } from "../protocol/host_port.ts";
import type { TlsPolicy } from "./settings.ts";
import { type Finding, formatWhere } from "./finding.ts";
import { type RiskId, RISKS } from "./risks.ts";

/** What of a server's options can be risky. */
export interface RiskySettings {
  readonly listen: readonly { readonly proxyProtocol?: readonly string[] | undefined }[];
  readonly tls: { readonly policy: TlsPolicy; readonly requireCloseNotify: boolean };
  readonly passive: { readonly foreignAddresses: boolean };
  readonly active: {
    readonly enabled: boolean;
    readonly foreignAddresses: boolean;
    readonly privilegedPorts: boolean;
  };
}

/** A finding that is a risk. */
export type RiskFinding = Finding & { readonly risk: RiskId };

/** Finds the risks of a server's settings. Those of accounts are found where the accounts are made. */
export function findSettingRisks(settings: RiskySettings): RiskFinding[] {
  return [...settingRisks(settings)];
}

/** Networks with shorter prefixes are more than anybody's own: half of IPv4 is as good as all of it. */
const MIN_PREFIX_BITS = { ipv4: 96 + 8, ipv6: 16 } as const;

function* settingRisks({ listen, tls, passive, active }: RiskySettings): Generator<RiskFinding> {
  for (const [index, { proxyProtocol = [] }] of listen.entries()) {
    const widest = proxyProtocol.find(isTooWide);
    if (widest !== undefined) yield risk("proxy-from-anywhere", ["listen", index, "proxyProtocol"], widest);
  }
  const policy = ["tls", "policy"];
  if (tls.policy === "off" || tls.policy === "optional") yield risk("clear-text-control", policy, tls.policy);
  if (tls.policy !== "required") yield risk("clear-text-data", policy, tls.policy);
  if (tls.policy !== "off" && !tls.requireCloseNotify) {
    yield risk("no-close-notify", ["tls", "requireCloseNotify"], "false");
  }
  if (passive.foreignAddresses) yield risk("foreign-data-address", ["passive", "foreignAddresses"]);
  if (!active.enabled) return;
  if (active.foreignAddresses) yield risk("foreign-data-address", ["active", "foreignAddresses"]);
  if (active.privilegedPorts) yield risk("privileged-data-port", ["active", "privilegedPorts"]);
}

function isTooWide(network: string): boolean {
  const range = parseAddressRange(network);
  if (range === undefined) return false;
  // Networks of IPv6 may have IPv4 in them, as mapped addresses.
  const hasIpv4 = ipFamily(formatGroups(range.groups)) === 4 || isInRange("0.0.0.0", range);
  return range.prefixBits < MIN_PREFIX_BITS[hasIpv4 ? "ipv4" : "ipv6"];
}

function risk(id: RiskId, path: Finding["path"], value?: string): RiskFinding {
  const { title, instead } = RISKS[id];
  return { severity: "risk", risk: id, path, value, message: `${title}. ${instead}` };
}

/** The error for a risk of a setting that is not accepted. */
export function insecureSetting(finding: RiskFinding): InsecureConfigurationError {
  return insecure(finding.risk, formatWhere(finding));
}

/**
 * The error for a risk that is not accepted.
 *
 * @param what What has it, such as `tls.policy off`.
 */
export function insecure(risk: RiskId, what: string): InsecureConfigurationError {
  const { title, instead } = RISKS[risk];
  const advice = `${instead.charAt(0).toLowerCase()}${instead.slice(1).replace(/\.$/, "")}`;
  return new InsecureConfigurationError(risk, `Cannot use ${what}: ${title} (risk ${risk}); ${advice}`);
}
