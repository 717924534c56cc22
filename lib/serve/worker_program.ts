/**
 * What runs in a worker: a server on the ports of the main event loop.
 *
 * @module
 */

import { SHARED_WORK_PLACES, type WorkPlaces } from "../accounts/work_queue.ts";
import { createHomes, toServerOptions } from "../server/configured_options.ts";
import { describeThrown } from "../thrown.ts";
import type { ServerEvent } from "../events.ts";
import { type FileClaims, SHARED_FILE_CLAIMS } from "../filesystem/file_claims.ts";
import { FtpServer } from "../server/ftp_server.ts";
import type { FtpServerOptions } from "../server/options.ts";
import { catchUncaughtErrors } from "../server/uncaught_errors.ts";
import { describeFailure, GuardedFileClaims } from "../state/guarded_state.ts";
import { SHARED_STATE, type SharedState } from "../state/state.ts";
import { RemotePorts } from "./remote_ports.ts";
import { takeWarnings } from "./log_writer.ts";
import type { CertificatePair, FromWorker, ServerPlan, ToWorker } from "./worker_messages.ts";

/** The worker's own end of its messages. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;
const ports = new RemotePorts((request) => scope.postMessage({ kind: "port", request }));
const state = ports.port<SharedState>("state", SHARED_STATE);
const workPlaces = ports.port<WorkPlaces>("workPlaces", SHARED_WORK_PLACES);
const fileClaims = ports.port<FileClaims>("fileClaims", SHARED_FILE_CLAIMS);
const openHome = createHomes(
  new GuardedFileClaims(fileClaims, (call, cause) => {
    tell({ event: "internalError", time: new Date(), message: describeFailure(call, cause), cause });
  }),
);
let server: FtpServer | undefined;
let options: FtpServerOptions | undefined;
/** The change that was asked for last: one that was given up must not take its place. */
let lastChange = 0;
let prepared: { readonly id: number; readonly use: () => void } | undefined;

catchUncaughtErrors({
  onOther: (cause) =>
    tell({ event: "internalError", time: new Date(), message: describeThrown(cause), cause, uncaught: true }),
});
scope.onmessage = ({ data }) => {
  switch (data.kind) {
    case "start":
      start(data).catch((error) =>
        scope.postMessage({ kind: "failed", reason: String(error), lacksDescriptors: lacksDescriptors(error) })
      );
      break;
    case "port":
      ports.receive(data.answer);
      break;
    case "prepare":
      // Never rejects.
      prepare(data).then((problem) => scope.postMessage({ kind: "changed", id: data.id, problem }));
      break;
    case "commit":
      if (prepared?.id === data.id) prepared.use();
      prepared = undefined;
      scope.postMessage({ kind: "changed", id: data.id, problem: undefined });
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
  server = new FtpServer({ ...options, dialogue, onEvent: tell }, { state, idPrefix, sharing: "joins" });
  await server.listen();
  scope.postMessage({ kind: "started" });
}

/** Whether this process, or the host, has no file descriptor left. */
function lacksDescriptors(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "EMFILE" || error.code === "ENFILE");
}

/** Makes ready for a change; returns why that cannot be. */
async function prepare({ id, change }: Extract<ToWorker, { readonly kind: "prepare" }>): Promise<string | undefined> {
  if (server === undefined || options === undefined) return "the server has not been started";
  lastChange = id;
  try {
    // With only another pair, users keep their remembered logins.
    const next = "plan" in change ? optionsOf(change.plan) : withPair(options, change.pair);
    const use = await server.prepare(next);
    const useBoth = () => {
      options = next;
      use();
    };
    if (id === lastChange) prepared = { id, use: useBoth };
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function stop(graceMs: number): Promise<void> {
  await server?.shutdown({ graceMs });
  scope.postMessage({ kind: "finished" });
  scope.close();
}

function optionsOf({ configuration, files }: ServerPlan): FtpServerOptions {
  return toServerOptions(configuration, files, new Date(), { openHome, workPlaces });
}

/** The main event loop reports listeners and the end; what happens in sessions is reported from here. */
function tell(event: ServerEvent): void {
  if (event.event === "listening" || event.event === "stopped") return;
  scope.postMessage({ kind: "event", event: event.event === "internalError" ? sendable(event) : event });
}

/** A cause may be anything, and not all can be sent. */
function sendable<Event extends { readonly cause?: unknown }>(event: Event): Event {
  if (event.cause === undefined || event.cause instanceof Error) return event;
  return { ...event, cause: describeThrown(event.cause) };
}

function withPair(options: FtpServerOptions, { certificate, key }: CertificatePair): FtpServerOptions {
  return { ...options, tls: { ...options.tls, certificate, key } };
}
