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

/** How often the exporter is told; it exports each minute, unless its environment says otherwise. */
const TELL_INTERVAL_MS = 5_000;

/**
 * Tells the exporter what has been counted and what the gauges show, until it is disposed of. Histograms are two counters: times
 * and their sum.
 *
 * Instruments that the exporter reads by itself would end the process late, if ever: at its end Deno waits for them in the thread
 * that should answer.
 */
export async function exportInstruments(reader: InstrumentReader, server: ObservedServer): Promise<Disposable> {
  const { metrics } = await import("@opentelemetry/api");
  const meter = metrics.getMeter(NAME);
  const counters = (Object.entries(INSTRUMENTS) as [InstrumentName, InstrumentRow][]).flatMap(([name, row]) => {
    const tellOf = (suffix: string, valueOf: (sample: Sample) => number) => {
      const counter = meter.createCounter(`ftpsd.${row.name.replace(/_total$/, "")}${suffix}`, {
        description: row.help,
      });
      const told = new Map<string, number>();
      return () => {
        for (const sample of reader.samples(name)) {
          const key = JSON.stringify(sample.labels);
          const value = valueOf(sample);
          counter.add(value - (told.get(key) ?? 0), { ...sample.labels });
          told.set(key, value);
        }
      };
    };
    const count = tellOf(row.kind === "counter" ? "" : ".count", ({ value }) => value);
    return row.kind === "counter" ? [count] : [count, tellOf(".sum", ({ sum = 0 }) => sum)];
  });
  const gauges = new Map(
    readGauges(server).map(({ name, help }) =>
      [name, meter.createGauge(`ftpsd.${name}`, { description: help })] as const
    ),
  );
  const tell = () => {
    for (const tellCounter of counters) tellCounter();
    for (const { name, samples } of readGauges(server)) {
      for (const { value, labels } of samples) gauges.get(name)?.record(value, { ...labels });
    }
  };
  const timer = setInterval(tell, TELL_INTERVAL_MS);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      tell();
    },
  };
}
