/**
 * Plays faults under load, and looks what has become of transfers and of files.
 *
 * @module
 */

import { FtpCluster, type FtpClusterOptions } from "../../helpers/cluster/ftp_cluster.ts";
import { type Fault, FAULTS } from "./faults.ts";
import { Load, type LoadOptions, type Tally } from "./load.ts";

/** What is played. */
export interface PlayOptions extends LoadOptions {
  readonly cluster?: Omit<FtpClusterOptions, "hasOwnPostgres">;
  /** @default {all} */
  readonly faults?: readonly Fault[];
  /** How long a fault lasts, in milliseconds. */
  readonly lastsMs: (fault: Fault) => number;
  /** How long everything may take to be as before, in milliseconds. */
  readonly normalWithinMs: number;
  /** Told of each fault when it is over. */
  readonly onPlayed?: (report: FaultReport) => void;
}

/** What has come of a fault. */
export interface FaultReport {
  readonly name: string;
  /** Transfers that were under way between its begin and the return of everything to normal. */
  readonly transfers: Tally;
  /** Logins likewise. */
  readonly logins: Tally;
  /** From its end until the last transfer or login has failed; all sessions have uploaded something new after it. In milliseconds. */
  readonly normalAfterMs: number;
  /** What nodes have logged as errors meanwhile: how often what. */
  readonly errors: Readonly<Record<string, number>>;
}

/** What has come of all. */
export interface PlayReport {
  readonly faults: readonly FaultReport[];
  /** Uploads that were acknowledged. */
  readonly acknowledged: number;
  /** Those that are missing or wrong, and downloads that were. */
  readonly wrong: readonly string[];
}

/** Begins a cluster, plays fault after fault, and looks into the store at the end. */
export async function playFaults(options: PlayOptions): Promise<PlayReport> {
  const { faults = FAULTS, onPlayed } = options;
  await using cluster = await FtpCluster.start({ ...options.cluster, hasOwnPostgres: true });
  const reports: FaultReport[] = [];
  await using load = new Load(cluster, options);
  for (const fault of faults) {
    await load.untilNormal(performance.now(), options.normalWithinMs);
    const report = await play(fault, cluster, load, options);
    reports.push(report);
    onPlayed?.(report);
  }
  await load.end();
  const wrong = [...load.wrong];
  for (const name of load.ledger.names) {
    const complaint = load.ledger.complaint(name, await cluster.store.read(`ftp/${name}`));
    if (complaint !== undefined) wrong.push(complaint);
  }
  return { faults: reports, acknowledged: load.ledger.acknowledged, wrong };
}

async function play(fault: Fault, cluster: FtpCluster, load: Load, options: PlayOptions): Promise<FaultReport> {
  const from = performance.now();
  const before = cluster.nodes.map(({ lines }) => lines.length);
  await fault.strike(cluster);
  await new Promise((resolve) => setTimeout(resolve, options.lastsMs(fault)));
  await fault.mend(cluster);
  const mendedAt = performance.now();
  const to = await load.untilNormal(mendedAt, options.normalWithinMs).catch((cause) => {
    const lines = cluster.nodes.map(({ host, lines }) => `${host}:\n${lines.slice(-10).join("\n")}`).join("\n");
    throw new Error(`"${fault.name}" lasts on: ${cause.message}\n${lines}`, { cause });
  });
  return {
    name: fault.name,
    transfers: load.tally(["upload", "download"], from, to),
    logins: load.tally(["login"], from, to),
    normalAfterMs: load.lastFailure(mendedAt) - mendedAt,
    errors: countErrors(cluster.nodes.flatMap(({ lines }, index) => lines.slice(before[index]))),
  };
}

/** Counts errors by what they say, without times and sessions. */
function countErrors(lines: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    const [, message] = /^\[E [^\]]*\] (?:internal error(?: in session \S+)?: )?(.*)/.exec(line) ?? [];
    if (message !== undefined) counts[message] = (counts[message] ?? 0) + 1;
  }
  return counts;
}
