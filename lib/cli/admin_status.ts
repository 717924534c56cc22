/**
 * `ftpsd status`: what a running server tells of itself.
 *
 * @module
 */

import * as v from "valibot";
import { BAN, HISTORY_POINT, NODE, QUOTA, SERVER } from "../admin/api/schemas.ts";
import { printable } from "../logger.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import type { AdminClient } from "./admin_client.ts";
import { formatBytes, formatDuration, formatRate } from "./terminal_text.ts";

/** All that is told. */
export interface ServerStatus {
  readonly server: v.InferOutput<typeof SERVER>;
  /** Bytes a second, over the last ten; absent in the first ten of a server. */
  readonly throughput?: { readonly received: number; readonly sent: number };
  readonly nodes: readonly v.InferOutput<typeof NODE>[];
  /** Those that are used by nine tenths or more. */
  readonly quotasNearLimit: readonly v.InferOutput<typeof QUOTA>[];
  readonly bans: readonly v.InferOutput<typeof BAN>[];
}

const NEAR_LIMIT = 0.9;
const FEW_DAYS = 21;
const MAX_LINES = 20;

/** Asks for it. @throws {StartError} As `AdminClient.ask`. */
export async function readStatus(client: AdminClient): Promise<ServerStatus> {
  const [server, history, nodes, quotas, bans] = await Promise.all([
    client.ask({ path: "/server", answer: SERVER }),
    client.ask({ path: "/history", answer: v.array(HISTORY_POINT) }),
    client.ask({ path: "/nodes", answer: v.array(NODE) }),
    client.ask({ path: "/quotas", answer: v.array(QUOTA) }),
    client.ask({ path: "/bans", answer: v.array(BAN) }),
  ]);
  const last = history.at(-1);
  return {
    server,
    ...last && { throughput: { received: last.received, sent: last.sent } },
    nodes,
    quotasNearLimit: quotas.filter((quota) => useOf(quota) >= NEAR_LIMIT),
    bans,
  };
}

/** The greater part of a quota that is used, of its bytes or of its files; 0 where that is not known. */
function useOf({ limits, used }: v.InferOutput<typeof QUOTA>): number {
  if (used === undefined) return 0;
  const part = (amount: number, limit: number) => limit > 0 ? amount / limit : 0;
  return Math.max(part(used.bytes, limits.bytes), part(used.files, limits.files));
}

/** Writes it for people. */
export function formatStatus(status: ServerStatus, now: Date): string {
  const { server, throughput, nodes, quotasNearLimit, bans } = status;
  const uptime = formatDuration((now.getTime() - Date.parse(server.since)) / 1000);
  const lines: (readonly [title: string, text: string])[] = [
    ["ready", server.isReady ? "yes" : `no: ${server.notReady ?? "it does not say why"}`],
    [
      "version",
      `${server.version}, up ${uptime}, ${server.workers === 1 ? "one event loop" : `${server.workers} event loops`}`,
    ],
    ...listed("listens", server.addresses, (address) => `${formatSocketAddress(address)} (TLS ${address.tls})`),
    ["sessions", String(server.sessions)],
    ...throughput === undefined
      ? []
      : [["throughput", `in ${formatRate(throughput.received)}, out ${formatRate(throughput.sent)}`] as const],
    ["certificate", describeCertificate(server.certificate)],
    ...server.certificate?.ordering === undefined
      ? []
      : [["renewal", describeOrdering(server.certificate.ordering)] as const],
    ...listed(
      "accepts",
      server.acceptedRisks,
      ({ risk, reason, until }) => `risk ${risk}: ${reason}${until === undefined ? "" : `, until ${until}`}`,
    ),
    ...listed(
      "node",
      nodes,
      ({ name, isThis, sessions, leaseSeconds }) =>
        `${name}${isThis ? " (this one)" : ""}: ${sessions} sessions, heard of for ${
          formatDuration(leaseSeconds)
        } more`,
    ),
    ...listed("quota", quotasNearLimit, describeQuota),
    ...listed("banned", bans, ({ address, seconds }) => `${address} for ${formatDuration(seconds)} more`),
  ];
  return lines.map(([title, text]) => `${title.padEnd(13)}${printable(text)}`).join("\n");
}

/** A line for each of a few; of many the rest is counted. */
function listed<Item>(
  title: string,
  items: readonly Item[],
  describe: (item: Item) => string,
): (readonly [string, string])[] {
  const shown = items.slice(0, MAX_LINES).map((item) => [title, describe(item)] as const);
  const more = items.length - shown.length;
  return more === 0 ? shown : [...shown, [title, `and ${more} more (--json has all)`]];
}

function describeCertificate(certificate: ServerStatus["server"]["certificate"]): string {
  if (certificate === undefined) return "none";
  const { daysLeft, names, selfSigned } = certificate;
  const days = daysLeft < 0 ? "EXPIRED" : `${daysLeft} days left${daysLeft < FEW_DAYS ? ": SOON" : ""}`;
  return `${days}, ${selfSigned ? "self-signed, " : ""}${names.join(" ")}`;
}

type Ordering = NonNullable<NonNullable<ServerStatus["server"]["certificate"]>["ordering"]>;

function describeOrdering({ isOrdering, nextAttempt, failures, lastFailure }: Ordering): string {
  const next = isOrdering ? "being ordered now" : `next order ${nextAttempt.replace(/\.\d+Z$/, "Z")}`;
  return failures === 0 ? next : `${next}; FAILED ${failures} times: ${lastFailure ?? "it does not say why"}`;
}

function describeQuota(quota: v.InferOutput<typeof QUOTA>): string {
  const { name, limits, used } = quota;
  const parts = [
    ...limits.bytes === 0 ? [] : [`${formatBytes(used?.bytes ?? 0)} of ${formatBytes(limits.bytes)}`],
    ...limits.files === 0 ? [] : [`${used?.files ?? 0} of ${limits.files} files`],
  ];
  return `${name}: ${parts.join(", ")} (${Math.floor(useOf(quota) * 100)} %)`;
}
