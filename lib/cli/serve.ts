/**
 * `ftpsd serve`: serves a configuration until it is told to stop.
 *
 * @module
 */

import { findPermissionNeeds } from "../check/permission_needs.ts";
import { countWorkers } from "../serve/worker_count.ts";
import { formatFinding } from "../settings/finding.ts";
import { describeThrown } from "../thrown.ts";
import type { EventListener } from "../events.ts";
import { Logger } from "../logger.ts";
import { catchUncaughtErrors } from "../server/uncaught_errors.ts";
import { ConfiguredServer } from "../serve/configured_server.ts";
import { StartError } from "../check/exit_error.ts";
import { mayReadProgram, PROGRAM_FOLDER } from "../check/program_folder.ts";
import { ExpiryNotice } from "./expiry_notice.ts";
import { logFindings, refuseObstacles } from "./findings_text.ts";
import { inspect } from "../check/inspection.ts";
import type { LogListeners } from "../serve/log_writer.ts";
import { loadConfiguration, type LoadedConfiguration } from "./load_configuration.ts";
import type { ParsedArguments } from "./option_table.ts";
import { giveUpExcess } from "../check/permissions.ts";
import { Reloader } from "./reloader.ts";
import { takeWarnings } from "../serve/runtime_warnings.ts";
import { shellWord } from "../check/shell_word.ts";
import type { ProcessSignals } from "./signals.ts";
import { explainStartFailure } from "./start_failure.ts";
import { describeStart } from "./start_text.ts";
import { describeSessions } from "./status_text.ts";
import { describeLogFailure } from "../check/log_file.ts";
import { TransferLog } from "../serve/transfer_log.ts";

/** How long running transfers may go on after the first signal. */
const GRACE_MS = 10_000;

/** Where the log goes. */
export interface LogOutput {
  /** Takes a line without its end. */
  readonly write: (line: string) => void;
  /** Whether lines are for a terminal that shows colors. */
  readonly isColored: boolean;
  /** Tells from then on when lines were dropped; absent: none are. */
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
  await giveUpExcess(findPermissionNeeds(configuration, loaded.file, PROGRAM_FOLDER));

  const { format, level, transfers } = configuration.log;
  const stacks = args.switches.has("debug");
  // At this level the log has nothing more but the dialogue.
  const dialogue = stacks || args.switches.has("verbose") || level === "debug";
  const logger = new Logger({ format, level: dialogue ? "debug" : level, stacks, ...output });
  output.listen?.({ onDropped: (count) => logger.log("error", `${count} lines of this log were dropped`) });
  takeWarnings((text) => logger.log("warn", text));
  await using transferLog = await openTransferLog(transfers, logger);
  const onEvent: EventListener = (event) => {
    logger.event(event);
    transferLog?.event(event);
  };
  using _lastResort = catchUncaughtErrors({
    onOther: (cause) =>
      onEvent({ event: "internalError", time: new Date(), message: describeThrown(cause), cause, uncaught: true }),
  });
  const workers = countWorkers(configuration, {
    processors: navigator.hardwareConcurrency,
    mayReadProgram: await mayReadProgram(),
    dealsConnections: Deno.build.os === "linux", // Windows lets no two event loops have one port
  });
  const plan = { configuration, files: inspection.files };
  const serving = { workers, mayServeAlone: configuration.workers === "auto", onEvent, dialogue };
  const server = await explaining(loaded, () => ConfiguredServer.create(plan, serving));
  await using reloader = new Reloader({ args, server, logger, ...intervals });
  // Before the server tells that it listens: who waits for that may send a signal at once.
  signals.act({
    stop: (signal) => {
      logger.log("info", `received ${signal}, shutting down`);
      return server.shutdown({ graceMs: GRACE_MS });
    },
    reload: () => reloader.reload(),
    report: () => reportSessions(server, logger),
  });
  await explaining(loaded, () => server.listen());
  for (const line of describeStart(loaded, server, { isPasswordShown: args.values.has("password") })) {
    logger.log(line.level, line.text);
  }
  logFindings(logger, { findings: inspection.findings, file: loaded.file });
  reloader.start({ loaded, inspection });
  using _notice = new ExpiryNotice({
    current: () => server.certificate,
    onFinding: (finding) => logger.log("warn", formatFinding(finding)),
    ...intervals.noticeIntervalMs === undefined ? {} : { intervalMs: intervals.noticeIntervalMs },
  });
  await server.finished;
}

/** A log of transfers that cannot be written is told of in the other log. */
async function openTransferLog(path: string | undefined, logger: Logger): Promise<TransferLog | undefined> {
  if (path === undefined) return undefined;
  const remark = (text: string) => logger.log("error", `log.transfers: ${text}`);
  try {
    return await TransferLog.open(path, {
      onFailed: (error) => remark(`cannot write to ${path}, trying again: ${describeLogFailure(error)}`),
      onDropped: (count) => remark(`${count} lines were dropped`),
    });
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    throw new StartError(
      `cannot open ${path} (log.transfers): ${describeLogFailure(cause)}`,
      `ls -l ${shellWord(path)}`,
      {
        cause,
      },
    );
  }
}

/** Logs who is connected. Never rejects. */
async function reportSessions(server: ConfiguredServer, logger: Logger): Promise<void> {
  try {
    const sessions = await server.sessions();
    logger.answer("status", describeSessions(sessions, new Date()), { sessions });
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
