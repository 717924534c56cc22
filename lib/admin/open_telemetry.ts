/**
 * Spans and metrics for OpenTelemetry, by Deno's own exporter: it runs where `OTEL_DENO=true` is in the environment, and needs no
 * permission.
 *
 * `@opentelemetry/api` is the interface that all exporters have; it needs no permission, and is loaded where one runs.
 *
 * @module
 */

import type { Trace } from "../tracing.ts";
import {
  type InstrumentName,
  type InstrumentReader,
  type InstrumentRow,
  INSTRUMENTS,
  type Sample,
} from "./instruments.ts";
import { readGauges } from "./gauges.ts";
import type { ObservedServer } from "./observed.ts";

const NAME = "ftpsd";

/** Makes what begins spans. */
export async function createTrace(): Promise<Trace> {
  const { SpanStatusCode, trace } = await import("@opentelemetry/api");
  const tracer = trace.getTracer(NAME);
  return (name, attributes, work) =>
    tracer.startActiveSpan(name, { attributes: { ...attributes } }, (span) => {
      const fail = (error: unknown) => {
        // Its message may have a path in it.
        span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : "thrown" });
        span.end();
      };
      try {
        const result = work({ set: (key, value) => void span.setAttribute(key, value) });
        if (!(result instanceof Promise)) {
          span.end();
          return result;
        }
        result.then(() => span.end(), fail);
        return result;
      } catch (error) {
        fail(error);
        throw error;
      }
    });
}

/** Lets the exporter read all instruments, and the gauges, whenever it exports. Histograms are two counters: times and their sum. */
export async function exportInstruments(reader: InstrumentReader, server: ObservedServer): Promise<void> {
  const { metrics } = await import("@opentelemetry/api");
  const meter = metrics.getMeter(NAME);
  for (const [name, row] of Object.entries(INSTRUMENTS) as [InstrumentName, InstrumentRow][]) {
    const observe = (suffix: string, valueOf: (sample: Sample) => number) =>
      meter.createObservableCounter(`ftpsd.${row.name.replace(/_total$/, "")}${suffix}`, { description: row.help })
        .addCallback((result) => {
          for (const sample of reader.samples(name)) result.observe(valueOf(sample), { ...sample.labels });
        });
    observe(row.kind === "counter" ? "" : ".count", ({ value }) => value);
    if (row.kind === "histogram") observe(".sum", ({ sum = 0 }) => sum);
  }
  for (const { name, help } of readGauges(server)) {
    meter.createObservableGauge(`ftpsd.${name}`, { description: help }).addCallback((result) => {
      const samples = readGauges(server).find((gauge) => gauge.name === name)?.samples ?? [];
      for (const { value, labels } of samples) result.observe(value, { ...labels });
    });
  }
}
