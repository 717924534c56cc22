/**
 * What goes wrong in a cluster, and how it is mended.
 *
 * @module
 */

import type { FtpCluster } from "../../helpers/cluster/ftp_cluster.ts";

/** A fault. */
export interface Fault {
  readonly name: string;
  /** How long it lasts in the long form, in seconds. */
  readonly seconds: number;
  /** Begins it. */
  readonly strike: (cluster: FtpCluster) => void | Promise<void>;
  /** Ends it. */
  readonly mend: (cluster: FtpCluster) => void | Promise<void>;
}

const VICTIM = 0;

/** All faults, in the order in which they are played. */
export const FAULTS: readonly Fault[] = [
  {
    name: "database killed",
    seconds: 5,
    strike: ({ postgres }) => postgres?.kill(),
    mend: ({ postgres }) => postgres?.start(),
  },
  {
    name: "database away from one node",
    seconds: 60,
    strike: ({ databaseLinks }) => databaseLinks[VICTIM]?.hang(),
    mend: ({ databaseLinks }) => reconnect(databaseLinks.slice(VICTIM, VICTIM + 1)),
  },
  {
    name: "database away from all nodes",
    seconds: 60,
    strike: ({ databaseLinks }) => databaseLinks.forEach((link) => link.hang()),
    mend: ({ databaseLinks }) => reconnect(databaseLinks),
  },
  {
    name: "node killed",
    seconds: 10,
    strike: ({ nodes }) => nodes[VICTIM]?.kill(),
    mend: async ({ nodes }) => await nodes[VICTIM]?.start(),
  },
  {
    name: "node stopped and continued",
    seconds: 30,
    strike: ({ nodes }) => nodes[VICTIM]?.signal("SIGSTOP"),
    mend: ({ nodes }) => nodes[VICTIM]?.signal("SIGCONT"),
  },
  {
    name: "HAProxy reloaded",
    seconds: 0,
    strike: ({ balancer }) => balancer.reload(),
    mend: ({ balancer }) => balancer.untilUp(),
  },
  {
    name: "store away",
    seconds: 30,
    strike: ({ storeLink }) => storeLink.hang(),
    mend: ({ storeLink }) => reconnect([storeLink]),
  },
  { name: "nodes restarted one by one", seconds: 0, strike: roll, mend: () => {} },
];

/** Restarts all nodes, each when the one before is in the balancer again. */
export async function roll({ nodes, balancer }: FtpCluster): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    await node.stop();
    await node.start();
    await balancer.untilUp(index);
  }
}

/** The network is back; what was under way when it went is lost. */
function reconnect(links: FtpCluster["databaseLinks"]): void {
  for (const link of links) {
    link.cut();
    link.resume();
  }
}
