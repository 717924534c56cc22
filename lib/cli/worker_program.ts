/**
 * What runs in a worker: a server on the ports of the main event loop.
 *
 * @module
 */

import { createHomes, toServerOptions } from "../config/server_options.ts";
import { describeThrown } from "../thrown.ts";
import type { ServerEvent } from "../events.ts";
import { FtpServer } from "../server/ftp_server.ts";
import type { FtpServerOptions } from "../server/options.ts";
import { catchUncaughtErrors } from "../server/uncaught_errors.ts";
import { AskingCounts } from "./asking_counts.ts";
import { takeWarnings } from "./runtime_warnings.ts";
import type { FromWorker, ServerPlan, ToWorker } from "./worker_messages.ts";

/** The worker's own end of its messages. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;
const counts = new AskingCounts((message) => scope.postMessage(message));
const openHome = createHomes(counts);
let server: FtpServer | undefined;
let options: FtpServerOptions | undefined;

catchUncaughtErrors({
  onOther: (cause) =>
    tell({ event: "internalError", time: new Date(), message: describeThrown(cause), cause, uncaught: true }),
});
scope.onmessage = ({ data }) => {
  switch (data.kind) {
    case "start":
      start(data).catch((error) => scope.postMessage({ kind: "failed", reason: String(error) }));
      break;
    case "answer":
      counts.answer(data.id, data.value);
      break;
    case "reconfigure":
      options = optionsOf(data.plan);
      server?.reconfigure(options);
      break;
    case "replaceCertificate":
      if (options === undefined) break;
      // Only the pair is another: users keep their remembered logins.
      options = { ...options, tls: { ...options.tls, ...data.pair } };
      server?.reconfigure(options);
      break;
    case "tellSessions":
      scope.postMessage({ kind: "sessions", sessions: server?.sessions ?? [] });
      break;
    case "shutdown":
      stop(data.graceMs).catch((error) => scope.postMessage({ kind: "failed", reason: String(error) }));
      break;
  }
};
takeWarnings((message) => tell({ event: "internalError", time: new Date(), message }));
scope.postMessage({ kind: "ready" });

async function start({ plan, idPrefix, dialogue }: Extract<ToWorker, { readonly kind: "start" }>): Promise<void> {
  options = optionsOf(plan);
  server = new FtpServer({ ...options, dialogue, onEvent: tell }, { counts, idPrefix, sharing: "joins" });
  await server.listen();
  scope.postMessage({ kind: "started" });
}

async function stop(graceMs: number): Promise<void> {
  await server?.shutdown({ graceMs });
  scope.postMessage({ kind: "finished" });
  scope.close();
}

function optionsOf({ configuration, files }: ServerPlan): FtpServerOptions {
  return toServerOptions(configuration, files, new Date(), { openHome, workPlaces: counts });
}

/** The main event loop tells of listeners and of the end; what happens in sessions is told as it happens here. */
function tell(event: ServerEvent): void {
  if (event.event === "listening" || event.event === "stopped") return;
  scope.postMessage({ kind: "event", event: event.event === "internalError" ? sendable(event) : event });
}

/** A cause may be anything, and not all can be sent. */
function sendable<Event extends { readonly cause?: unknown }>(event: Event): Event {
  if (event.cause === undefined || event.cause instanceof Error) return event;
  return { ...event, cause: describeThrown(event.cause) };
}
