/**
 * Instruments in the text format of Prometheus (version 0.0.4).
 *
 * @module
 */

import {
  type InstrumentName,
  type InstrumentReader,
  type InstrumentRow,
  INSTRUMENTS,
  type Sample,
} from "./instruments.ts";

/** A value that is looked up when somebody asks. */
export interface Gauge {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Content type of the text. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const PREFIX = "ftpsd_";

/** Writes all instruments, and the gauges behind them. */
export function formatPrometheus(reader: InstrumentReader, gauges: readonly Gauge[]): string {
  const names = Object.keys(INSTRUMENTS) as InstrumentName[];
  const lines = names.flatMap((name) => {
    const row: InstrumentRow = INSTRUMENTS[name];
    return family(row, row.kind, reader.samples(name), row.bounds);
  });
  return [...lines, ...gauges.flatMap((gauge) => family(gauge, "gauge", gauge.samples, [])), ""].join("\n");
}

function family(
  { name, help }: { readonly name: string; readonly help: string },
  kind: InstrumentRow["kind"] | "gauge",
  samples: readonly Sample[],
  bounds: readonly number[],
): string[] {
  const full = `${PREFIX}${name}`;
  return [
    `# HELP ${full} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
    `# TYPE ${full} ${kind}`,
    ...samples.flatMap((sample) => kind === "histogram" ? distribution(full, sample, bounds) : [line(full, sample)]),
  ];
}

function distribution(
  name: string,
  { labels, value, buckets = [], sum = 0 }: Sample,
  bounds: readonly number[],
): string[] {
  let below = 0;
  const lines = bounds.map((bound, index) => {
    below += buckets[index] ?? 0;
    return line(`${name}_bucket`, { labels: { ...labels, le: String(bound) }, value: below });
  });
  return [
    ...lines,
    line(`${name}_bucket`, { labels: { ...labels, le: "+Inf" }, value }),
    line(`${name}_sum`, { labels, value: sum }),
    line(`${name}_count`, { labels, value }),
  ];
}

function line(name: string, { labels, value }: Pick<Sample, "labels" | "value">): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
