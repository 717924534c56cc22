/**
 * `ftpsd serve`: serves a configuration until it is told to stop.
 *
 * @module
 */

import { StartError, UsageError } from "../check/exit_error.ts";
import { inspect, type LoadedConfiguration } from "../check/inspection.ts";
import { findPermissionNeeds, giveUpExcess, PROGRAM_FOLDER } from "../check/permissions.ts";
import type { EventListener } from "../events.ts";
import { Logger } from "../logger.ts";
import { type LogListeners, takeWarnings } from "../serve/log_writer.ts";
import type { Reading } from "../serve/reloader.ts";
import { reasonsOf, Service } from "../serve/service.ts";
import { catchUncaughtErrors } from "../server/uncaught_errors.ts";
import type { Configuration } from "../settings/table.ts";
import { describeThrown } from "../thrown.ts";
import { ConnectionError } from "../transport/connection.ts";
import { describeObstacles, optionFor, refuseObstacles } from "./findings_text.ts";
import { loadConfiguration } from "./load_configuration.ts";
import type { ParsedArguments } from "./option_table.ts";
import type { ProcessSignals } from "./signals.ts";
import { describeSessions, describeShutdown, describeStart, describeTotals } from "./log_text.ts";

/** Where the log goes. */
export interface LogOutput {
  /** Takes a line without its end. */
  readonly write: (line: string) => void;
  /** Whether lines are for a terminal that shows colors. */
  readonly isColored: boolean;
  /** Reports dropped lines from then on; absent: none are dropped. */
  readonly listen?: (listeners: LogListeners) => void;
}

/** What else a running server is given. */
export interface ServeOptions {
  /** Signals of this process. */
  readonly signals: Pick<ProcessSignals, "act">;
  /** Milliseconds between two looks at the files of the certificate; absent: the watcher's own. */
  readonly watchIntervalMs?: number;
  /** Milliseconds between two notices that the certificate will expire; absent: a day. */
  readonly noticeIntervalMs?: number;
}

/**
 * Serves until SIGINT or SIGTERM; SIGHUP reads the configuration again.
 *
 * @throws {ExitError | ConfigurationError} When it cannot start.
 */
export async function serve(
  args: ParsedArguments,
  output: LogOutput,
  { signals, ...intervals }: ServeOptions,
): Promise<void> {
  const loaded = await loadConfiguration(args);
  const { configuration } = loaded;
  const inspection = await inspect(configuration, loaded, new Date());
  refuseObstacles(loaded, inspection);
  await giveUpExcess(findPermissionNeeds(configuration, loaded.file, PROGRAM_FOLDER, inspection.files));

  const { format, level } = configuration.log;
  const stacks = args.switches.has("debug");
  // At this level the log has nothing more but the dialogue.
  const dialogue = stacks || args.switches.has("verbose") || level === "debug";
  const logger = new Logger({ format, level: dialogue ? "debug" : level, stacks, ...output });
  let countDropped = (_count: number) => {};
  output.listen?.({
    onDropped: (count) => {
      logger.log("error", `${count} lines of this log were dropped`);
      countDropped(count);
    },
  });
  takeWarnings((text) => logger.log("warn", text));
  const onEvent: EventListener = (event) => logger.event(event);
  using _lastResort = catchUncaughtErrors({
    onOther: (cause) =>
      onEvent({ event: "internalError", time: new Date(), message: describeThrown(cause), cause, uncaught: true }),
  });
  const read = (servedHomes: ReadonlySet<string>) => readAgain(args, servedHomes);
  const first = { plan: { configuration, files: inspection.files }, findings: inspection.findings, obstacles: [] };
  await using service = await explaining(loaded, () =>
    Service.create(first, {
      ...{ read, onEvent, events: logger.events, dialogue, ...intervals },
      log: (level, text) => logger.log(level, text),
      ...loaded.file === undefined && { nameOf: optionFor },
      configurationFile: loaded.file,
    }));
  countDropped = (count) => service.countDroppedLines(count);
  // Before the server tells that it listens: who waits for that may send a signal at once.
  signals.act({
    stop: (signal) => {
      const times = service.shutdownTimes;
      logger.log("info", `received ${signal}, shutting down: ${describeShutdown(times)}`);
      return service.shutdown(times);
    },
    reload: () => reload(service, logger),
    report: () => reportSessions(service, logger),
  });
  await explaining(loaded, () =>
    service.listen(() => {
      for (const line of describeStart(loaded, service)) logger.log("info", line);
    }));
  await service.finished;
}

async function readAgain(args: ParsedArguments, servedHomes: ReadonlySet<string>): Promise<Reading> {
  const loaded = await loadConfiguration(args);
  const { configuration } = loaded;
  const { findings, files } = await inspect(configuration, loaded, new Date(), servedHomes);
  return { plan: { configuration, files }, findings, obstacles: describeObstacles(loaded, { findings }) };
}

/** What cannot be used changes nothing. Never rejects. */
async function reload(service: Service, logger: Logger): Promise<void> {
  try {
    await service.reload();
  } catch (error) {
    for (const reason of reasonsOf(error)) {
      logger.log("error", `reload failed, keeping the current configuration: ${reason}`);
    }
  }
}

/** Logs who is connected. Never rejects. */
async function reportSessions(service: Service, logger: Logger): Promise<void> {
  try {
    const sessions = await service.sessions();
    const { totals } = service;
    const lines = [...describeSessions(sessions, new Date()), ...totals === undefined ? [] : [describeTotals(totals)]];
    logger.answer("status", lines, { sessions, ...totals && { totals } });
  } catch (error) {
    logger.log("error", `cannot tell who is connected: ${error}`);
  }
}

/** Puts what can go wrong at start in the words of the command line. */
async function explaining<Result>(loaded: LoadedConfiguration, step: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    throw explainStartFailure(error, loaded.configuration);
  }
}

/** The error to tell in place of one of the library or the runtime; the same one where there are no better words. */
function explainStartFailure(error: unknown, { listen, tls }: Configuration): unknown {
  const all = listen.map(({ host, port }) => `${host} port ${port}`).join(", ");
  const where = refusedAddress(error) ?? all;
  if (error instanceof ConnectionError && error.kind === "addressInUse") {
    return new StartError(`the port is in use (${where})`, "--port 0 for any; ss -ltnp tells who has it", {
      cause: error,
    });
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES") {
    return new StartError(`not allowed to listen on ${where}`, "--port 2121, or another above 1023", { cause: error });
  }
  if (code === "EADDRNOTAVAIL" || code === "EINVAL") {
    return new StartError(
      `cannot listen on ${where}: no address of this host (--interface)`,
      "--interface 0.0.0.0 for all of IPv4",
      { cause: error },
    );
  }
  if (error instanceof TypeError && tls.certificate !== undefined) {
    const { certificate, key } = tls;
    return new UsageError(
      `${error.message} (--certfile ${certificate} --keyfile ${key})`,
      "leave out both for a certificate made in memory",
      { cause: error },
    );
  }
  if (error instanceof TypeError || error instanceof RangeError) {
    return new UsageError(error.message, undefined, { cause: error });
  }
  return error;
}

/** The one of several addresses that `node:net` names in its error. */
function refusedAddress(error: unknown): string | undefined {
  const cause = error instanceof ConnectionError ? error.cause : error;
  if (!(cause instanceof Error && "address" in cause && "port" in cause)) return undefined;
  return `${cause.address} port ${cause.port}`;
}
