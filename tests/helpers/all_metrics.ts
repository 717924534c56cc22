/**
 * Every metric that a server can have.
 *
 * @module
 */

import { readGauges } from "../../lib/admin/gauges.ts";
import { createInstruments, type InstrumentRow, INSTRUMENTS } from "../../lib/admin/instruments.ts";

/** A metric, as documents have it. */
export interface MetricRow {
  /** Whole. */
  readonly name: string;
  readonly kind: InstrumentRow["kind"] | "gauge";
  readonly help: string;
  readonly labels: readonly string[];
}

/** All of them, in the order in which they are told. */
export function allMetrics(): MetricRow[] {
  const rows: readonly InstrumentRow[] = Object.values(INSTRUMENTS);
  const gauges = readGauges({
    addresses: [],
    certificate: { subject: "", issuer: "", validFrom: new Date(0), validTo: new Date(0), fingerprint: "" } as never,
    workers: 1,
    since: new Date(0),
    instruments: createInstruments(1).reader,
    readiness: { isReady: true, reason: "" },
    ordering: { isOrdering: false, nextAttempt: new Date(0), failures: 0 },
    waitingForHooks: 0,
    sessions: () => Promise.resolve([]),
  });
  return [
    ...rows.map(({ name, kind, help, labels }) => ({ name: `ftpsd_${name}`, kind, help, labels: Object.keys(labels) })),
    ...gauges.map(({ name, help, samples }) => ({
      name: `ftpsd_${name}`,
      kind: "gauge" as const,
      help,
      labels: Object.keys(samples[0]?.labels ?? {}),
    })),
  ];
}

/** Names of series: a histogram has three. */
export function seriesNames(): Set<string> {
  return new Set(
    allMetrics().flatMap(({ name, kind }) =>
      kind === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => `${name}${end}`) : [name]
    ),
  );
}
