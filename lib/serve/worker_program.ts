/**
 * What runs in a worker: a server on the ports of the main event loop.
 *
 * @module
 */

import { type CodeRegister, SHARED_CODE_REGISTER } from "../accounts/code_register.ts";
import { type PasswordStore, SHARED_PASSWORD_STORE } from "../accounts/password_store.ts";
import { type AccountEntries, SHARED_ACCOUNT_ENTRIES } from "../accounts/account_entries.ts";
import { SHARED_WORK_PLACES, type WorkPlaces } from "../accounts/work_queue.ts";
import { type EventKeeper, SHARED_EVENT_KEEPER } from "../event_keeper.ts";
import type { ServerEvent, ServerEventName } from "../events.ts";
import type { InstrumentMemory } from "../admin/instruments.ts";
import type { Trace } from "../tracing.ts";
import type { Meter } from "../meter.ts";
import { toServerOptions } from "../server/configured_options.ts";
import { FtpServer, type ShutdownOptions } from "../server/ftp_server.ts";
import type { FtpServerOptions } from "../server/options.ts";
import { catchUncaughtErrors } from "../server/uncaught_errors.ts";
import { AttachedState } from "../state/attached_state.ts";
import { type AttemptOwner, SHARED_ATTEMPTS } from "../state/attempt_owner.ts";
import { hasTerm } from "../state/postgres/node_term.ts";
import { SharedTable } from "../state/shared_table.ts";
import { type QuotaAllowances, SHARED_QUOTA_ALLOWANCES } from "../state/quota_allowances.ts";
import { type QuotaStore, SHARED_QUOTA_STORE } from "../state/quotas.ts";
import { SHARED_RECORDS, type StateRecords } from "../state/records.ts";
import { SHARED_STATE, type SharedState } from "../state/state.ts";
import { TableQuotaCounts } from "../state/table_quotas.ts";
import { SHARED_TERM_CLAIMS, type TermClaims } from "../state/term_claims.ts";
import { describeThrown } from "../thrown.ts";
import { accountProblem } from "./account_problem.ts";
import { EventBatch } from "./event_batch.ts";
import { takeWarnings } from "./log_writer.ts";
import { createFileClaims, createNodeQuotas } from "./node_claims.ts";
import { RemotePorts } from "./remote_ports.ts";
import { ServedFiles } from "./served_files.ts";
import type { RemoteKeeper } from "./served_hooks.ts";
import { withPem } from "./pem_change.ts";
import type { FromWorker, ServerPlan, SharedMemory, ToWorker } from "./worker_messages.ts";

/** The worker's own end of its messages. */
interface WorkerScope {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
  close(): void;
}

/** What is the same in all event loops. */
const TOLD_BY_MAIN: readonly ServerEventName[] = ["listening", "stopped", "addressResolved", "addressUnresolved"];

const scope = globalThis as unknown as WorkerScope;
const ports = new RemotePorts((request) => send({ kind: "port", request }));
const workPlaces = ports.port<WorkPlaces>("workPlaces", SHARED_WORK_PLACES);
let events = new EventBatch({ send: (events) => scope.postMessage({ kind: "events", events }) });
let files: ServedFiles | undefined;
let keepsPasswordsOfFile = false;
let server: FtpServer | undefined;
let options: FtpServerOptions | undefined;
/** Absent where there are no hooks. */
let keeper: RemoteKeeper | undefined;
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
        send({ kind: "failed", reason: String(error), lacksDescriptors: lacksDescriptors(error) })
      );
      break;
    case "port":
      ports.receive(data.answer);
      break;
    case "prepare":
      // Never rejects.
      prepare(data).then((problem) => send({ kind: "changed", id: data.id, problem }));
      break;
    case "commit":
      if (prepared?.id === data.id) prepared.use();
      prepared = undefined;
      send({ kind: "changed", id: data.id, problem: undefined });
      break;
    case "tellSessions":
      send({ kind: "sessions", sessions: server?.sessions ?? [] });
      break;
    case "disconnect":
      send({ kind: "disconnected", id: data.id, count: server?.disconnectSelected(data.selector, data.text) ?? 0 });
      break;
    case "shutdown":
      stop(data.options).catch((error) => send({ kind: "failed", reason: String(error) }));
      break;
  }
};
takeWarnings((message) => tell({ event: "internalError", time: new Date(), message }));
send({ kind: "ready" });

async function start(
  start: Extract<ToWorker, { readonly kind: "start" }>,
): Promise<void> {
  const { plan, idPrefix, dialogue, eventLoops, memory, instruments, traced, events: names } = start;
  events.flush();
  events = new EventBatch({ names, send: (events) => scope.postMessage({ kind: "events", events }) });
  const meter = instruments && await createMeter(instruments);
  const trace = traced ? await createTrace() : undefined;
  keepsPasswordsOfFile = memory.keepsPasswordsOfFile;
  files = servedFilesIn(memory, { eventLoops, meter, trace });
  options = await optionsOf(plan);
  const state = stateIn(memory);
  keeper = await keeperIn(memory, plan);
  const { term } = memory;
  const isAvailable = term && (() => hasTerm(term));
  server = new FtpServer({ ...options, dialogue, onEvent: tell }, {
    ...{ state, meter, trace, keeper, idPrefix, eventLoops },
    ...isAvailable && { isAvailable },
    sharing: "joins",
  });
  await server.listen();
  send({ kind: "started" });
}

/** Loaded when needed: most servers are not measured. */
async function createMeter(instruments: InstrumentMemory): Promise<Meter> {
  const { EventLoopMeter } = await import("../admin/event_loop_meter.ts");
  return new EventLoopMeter(instruments);
}

/** The same of spans. */
async function createTrace(): Promise<Trace> {
  return await (await import("../admin/open_telemetry.ts")).createTrace();
}

/** Loaded when needed, too. */
async function keeperIn(
  { keepsEvents }: SharedMemory,
  { configuration }: ServerPlan,
): Promise<RemoteKeeper | undefined> {
  if (!keepsEvents) return undefined;
  const { RemoteKeeper } = await import("./served_hooks.ts");
  return new RemoteKeeper(ports.port<EventKeeper>("eventKeeper", SHARED_EVENT_KEEPER), configuration);
}

/** The files, with what the main event loop owns of them. */
function servedFilesIn(
  { claims, term, quotas, keepsQuotas }: SharedMemory,
  { eventLoops, meter, trace }: {
    readonly eventLoops: number;
    readonly meter: Meter | undefined;
    readonly trace: Trace | undefined;
  },
): ServedFiles {
  const store = keepsQuotas ? ports.port<QuotaStore>("quotaStore", SHARED_QUOTA_STORE) : undefined;
  const allowances = term && ports.port<QuotaAllowances>("quotaAllowances", SHARED_QUOTA_ALLOWANCES);
  const termClaims = term && ports.port<TermClaims>("termClaims", SHARED_TERM_CLAIMS);
  return new ServedFiles({
    claims: createFileClaims(new SharedTable(claims), termClaims, term),
    records: ports.port<StateRecords>("records", SHARED_RECORDS),
    quotas: allowances === undefined || term === undefined
      ? new TableQuotaCounts(new SharedTable(quotas), store)
      : createNodeQuotas(allowances, term),
    eventLoops,
    meter,
    trace,
    onProblem: (message, cause) => tell({ event: "internalError", time: new Date(), message, cause }),
  });
}

/** The state in memory, or that of the main event loop. */
function stateIn({ state }: SharedMemory): SharedState {
  if (state === undefined) return ports.port<SharedState>("state", SHARED_STATE);
  return new AttachedState(new SharedTable(state), ports.port<AttemptOwner>("attempts", SHARED_ATTEMPTS));
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
    // Without another plan, users keep their remembered logins.
    const next = "plan" in change ? await optionsOf(change.plan) : withPem(options, change);
    const use = await server.prepare(next);
    const useBoth = () => {
      options = next;
      use();
      if ("plan" in change) keeper?.configure(change.plan.configuration);
    };
    if (id === lastChange) prepared = { id, use: useBoth };
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function stop(options: ShutdownOptions): Promise<void> {
  await server?.shutdown(options);
  await files?.[Symbol.asyncDispose]();
  send({ kind: "finished" });
  scope.close();
}

async function optionsOf(plan: ServerPlan): Promise<FtpServerOptions> {
  await files?.prepare(plan);
  return toServerOptions(plan.configuration, plan.files, new Date(), {
    ...files && { openHome: files.openHome, services: files.services },
    workPlaces,
    codes: ports.port<CodeRegister>("codes", SHARED_CODE_REGISTER),
    passwords: ports.port<PasswordStore>("passwords", SHARED_PASSWORD_STORE),
    keepsPasswordsOfFile,
    ...plan.configuration.accounts.some(({ type }) => type !== "file") &&
      { entries: ports.port<AccountEntries>("accountEntries", SHARED_ACCOUNT_ENTRIES) },
    onAccountProblem: (account, reason) => tell(accountProblem(account, reason)),
  });
}

/** The main event loop reports what is the same in all; what happens in sessions is reported from here. */
function tell(event: ServerEvent): void {
  if (!TOLD_BY_MAIN.includes(event.event)) events.add(event);
}

/** Sends a message behind all that has happened before. */
function send(message: FromWorker): void {
  events.flush();
  scope.postMessage(message);
}
