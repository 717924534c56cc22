/**
 * The eyes on a served configuration, which are loaded where it has `metrics`.
 *
 * @module
 */

import type { InstrumentSet } from "../admin/instruments.ts";
import type { ObservedServer } from "../admin/observed.ts";
import { StartError } from "../check/exit_error.ts";
import type { EventListener } from "../events.ts";
import type { Meter } from "../meter.ts";
import type { SocketAddress } from "../transport/connection.ts";
import type { Configuration } from "../settings/table.ts";

/** What is measured, and how others learn of it. */
export interface Observation {
  /** Of the main event loop. */
  readonly meter: Meter;
  readonly instruments: InstrumentSet;
  /** Counts lines that the log had no room for. */
  readonly countDroppedLines: (count: number) => void;
  /**
   * Lets others ask, until what comes back is disposed of.
   *
   * @throws {StartError} When a port cannot be had.
   */
  readonly listen: (server: ObservedServer) => ObservationListeners;
}

/** Where others ask. Disposing of it ends that. */
export interface ObservationListeners extends AsyncDisposable {
  readonly metrics: SocketAddress;
}

/** Makes what a configuration asks for; `undefined` where that is nothing. Nothing of it is loaded then. */
export async function observe(
  { metrics }: Configuration,
  { workers, onEvent }: { readonly workers: number; readonly onEvent: EventListener },
): Promise<Observation | undefined> {
  if (metrics === undefined) return undefined;
  const [{ createInstruments, InstrumentWriter }, { EventLoopMeter }, { answerMetrics }, { HttpListener }] =
    await Promise
      .all([
        import("../admin/instruments.ts"),
        import("../admin/event_loop_meter.ts"),
        import("../admin/metrics_endpoint.ts"),
        import("../admin/http_listener.ts"),
      ]);
  const instruments = createInstruments(workers);
  const [memory] = instruments.memories;
  if (memory === undefined) throw new TypeError("Cannot measure a server without an event loop");
  const writer = new InstrumentWriter(memory);
  const onFailure = (message: string, cause: unknown) =>
    onEvent({ event: "internalError", time: new Date(), message, cause });
  return {
    meter: new EventLoopMeter(memory),
    instruments,
    countDroppedLines: (count) => writer.add("logLinesDropped", [], count),
    listen: (server) => {
      const listener = explaining(
        `${metrics.host} port ${metrics.port} (metrics)`,
        () => HttpListener.listen(metrics, { answer: (request) => answerMetrics(request, server), onFailure }),
      );
      return {
        metrics: { host: metrics.host, port: listener.port },
        [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
      };
    },
  };
}

function explaining<Result>(where: string, listen: () => Result): Result {
  try {
    return listen();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.AddrInUse)) throw cause;
    throw new StartError(`the port is in use: ${where}`, "ss -ltnp tells who has it", { cause });
  }
}
