/**
 * Values of a server that are looked up when somebody asks for its metrics.
 *
 * @module
 */

import type { InstrumentReader } from "./instruments.ts";
import type { ObservedServer } from "./observed.ts";
import type { Gauge } from "./prometheus_text.ts";

/** Looks them up. */
export function readGauges(server: ObservedServer): Gauge[] {
  const { instruments, certificate, ordering, since, workers, readiness, waitingForHooks } = server;
  const running = (direction: string) =>
    instruments.total("transfersStarted", { direction }) - instruments.total("transfers", { direction });
  const { rss, heapUsed } = Deno.memoryUsage();
  return [
    gauge("sessions", "Control connections with a session now.", sessionsNow(server)),
    {
      name: "transfers_running",
      help: "Transfers of files that are under way.",
      samples: ["receive", "send"].map((direction) => ({ labels: { direction }, value: running(direction) })),
    },
    gauge("ready", "1 where clients should be sent here, 0 where not.", readiness.isReady ? 1 : 0),
    gauge("event_loops", "Event loops that serve.", workers),
    gauge("start_time_seconds", "When the server has started, in seconds since 1970.", since.getTime() / 1000),
    ...certificate === undefined ? [] : [
      gauge(
        "certificate_not_after_seconds",
        "When the certificate expires, in seconds since 1970.",
        certificate.validTo.getTime() / 1000,
      ),
    ],
    ...ordering === undefined ? [] : [
      gauge(
        "certificate_next_attempt_seconds",
        "When the certificate is ordered next from the CA, in seconds since 1970.",
        ordering.nextAttempt.getTime() / 1000,
      ),
      gauge(
        "certificate_failures",
        "Attempts to order the certificate that have failed since the last success.",
        ordering.failures,
      ),
    ],
    ...waitingForHooks === undefined
      ? []
      : [gauge("hook_events_waiting", "Events that wait for hooks.", waitingForHooks)],
    gauge("memory_resident_bytes", "Memory of the process.", rss),
    gauge("memory_heap_bytes", "Memory of the main event loop that JavaScript uses.", heapUsed),
  ];
}

/** Control connections with a session now. */
export function sessionsNow({ instruments }: Pick<ObservedServer, "instruments">): number {
  return instruments.total("connections") - instruments.total("connectionsEnded");
}

/** What has happened since the start. */
export interface Totals {
  /** Bytes of files. */
  readonly received: number;
  readonly sent: number;
  readonly logins: number;
  readonly loginsFailed: number;
  /** Of files, that came to their end. */
  readonly transfers: number;
  /** Of files, that did not. */
  readonly incomplete: number;
}

/** Adds up. */
export function totalsOf(reader: InstrumentReader): Totals {
  return {
    received: reader.total("transferredBytes", { direction: "receive" }),
    sent: reader.total("transferredBytes", { direction: "send" }),
    logins: reader.total("logins", { result: "succeeded" }),
    loginsFailed: reader.total("logins", { result: "failed" }),
    transfers: reader.total("transfers", { result: "complete" }),
    incomplete: reader.total("transfers", { result: "incomplete" }),
  };
}

function gauge(name: string, help: string, value: number): Gauge {
  return { name, help, samples: [{ labels: {}, value }] };
}
