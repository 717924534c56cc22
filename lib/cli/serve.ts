/**
 * `ftpsd serve`: serves a configuration until it is told to stop.
 *
 * @module
 */

import type { Finding } from "../config/finding.ts";
import { ConfigurationError } from "../config/problem.ts";
import { findPermissionNeeds } from "../config/permission_needs.ts";
import { toServerOptions } from "../config/server_options.ts";
import type { EventListener } from "../events.ts";
import { Logger } from "../logger.ts";
import { FtpServer } from "../server/ftp_server.ts";
import { CertificateWatcher } from "./certificate_watcher.ts";
import { ExitError, UsageError } from "./exit_error.ts";
import { describeFinding, describeOptionFinding, hintFor } from "./findings_text.ts";
import { findObstacles, inspect, type Inspection } from "./inspection.ts";
import { loadConfiguration, type LoadedConfiguration } from "./load_configuration.ts";
import type { ParsedArguments } from "./option_table.ts";
import { findMissingFlags, permissionMissing } from "./permissions.ts";
import { onSignals } from "./signals.ts";
import { explainStartFailure } from "./start_failure.ts";
import { describeStart } from "./start_text.ts";
import { TransferLog } from "./transfer_log.ts";

/** How long running transfers may go on after the first signal. */
const GRACE_MS = 10_000;

/**
 * Serves until SIGINT or SIGTERM; SIGHUP reads the configuration again.
 *
 * @throws {ExitError | ConfigurationError} When it cannot start.
 */
export async function serve(args: ParsedArguments, write: (line: string) => void): Promise<void> {
  const loaded = await loadConfiguration(args);
  const { configuration, settings } = loaded;
  const missing = await findMissingFlags(findPermissionNeeds(configuration, loaded.file));
  if (missing.length > 0) throw permissionMissing(missing);
  if (loaded.file === undefined) await checkDirectory(settings.directory);
  const inspection = await inspect(configuration, loaded.file, new Date());
  refuseObstacles(loaded, inspection);

  const { format, level, transfers } = configuration.log;
  const { dialogue, stacks } = settings.log;
  const logger = new Logger({ format, level: dialogue ? "debug" : level, stacks, write });
  using transferLog = transfers === undefined ? undefined : new TransferLog(transfers);
  const onEvent: EventListener = (event) => {
    logger.event(event);
    transferLog?.event(event);
  };
  const options = toServerOptions(configuration, inspection.files, new Date());
  const server = await explaining(loaded, () => new FtpServer({ ...options, onEvent, dialogue }));
  await using reloader = new Reloader(args, server, logger);
  // Before the server tells that it listens: who waits for that may send a signal at once.
  using _signals = onSignals({
    stop: (signal) => {
      logger.remark("info", `received ${signal}, shutting down`);
      return server.shutdown({ graceMs: GRACE_MS });
    },
    reload: () => reloader.reload(),
  });
  await explaining(loaded, () => server.listen());
  for (const line of describeStart(loaded, server)) logger.remark(line.level, line.text);
  logFindings(logger, inspection);
  reloader.watch(loaded, inspection);
  await server.finished;
}

/** Says in its own words what is wrong with the one folder of the command line. */
async function checkDirectory(directory: string): Promise<void> {
  const hint = "ftpsd DIR with a folder that exists";
  try {
    // A link may lead where Deno does not permit to read: its refusal tells the flag.
    if ((await Deno.stat(await Deno.realPath(directory))).isDirectory) return;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const problem = error instanceof Deno.errors.NotFound ? "no such folder" : "cannot open the folder";
    throw new UsageError(`${problem}: ${directory}`, hint, { cause: error });
  }
  throw new UsageError(`not a folder: ${directory}`, hint);
}

/** Puts what can go wrong at start in the words of the command line. */
async function explaining<Result>(loaded: LoadedConfiguration, step: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    throw explainStartFailure(error, loaded.configuration);
  }
}

function refuseObstacles({ configuration, file }: LoadedConfiguration, { findings }: Inspection): void {
  const obstacles = findObstacles(configuration, findings, new Date());
  if (obstacles.length === 0) return;
  const describe = (finding: Finding) =>
    file === undefined ? describeOptionFinding(finding) : `${file}: ${describeFinding(finding)}`;
  throw new UsageError(obstacles.map(describe).join("\nerror: "), hintFor(obstacles, file));
}

/** Accepted risks and warnings, at every start. */
function logFindings(logger: Logger, { findings }: Inspection): void {
  for (const finding of findings) {
    const { risk, where, message } = finding;
    logger.remark(
      "warn",
      risk === undefined ? describeFinding(finding) : `risk ${risk} accepted: ${where}: ${message}`,
    );
  }
}

/** Gives a running server what the configuration, or the files of its certificate, say now. */
class Reloader implements AsyncDisposable {
  readonly #args: ParsedArguments;
  readonly #server: FtpServer;
  readonly #logger: Logger;
  #watcher: CertificateWatcher | undefined;
  #reloading: Promise<void> = Promise.resolve();

  constructor(args: ParsedArguments, server: FtpServer, logger: Logger) {
    this.#args = args;
    this.#server = server;
    this.#logger = logger;
  }

  /** Reads everything again; what cannot be used changes nothing. One reload follows the other. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload());
    return this.#reloading;
  }

  /** Watches the files of the certificate in use from now on. */
  watch(loaded: LoadedConfiguration, { files }: Inspection): void {
    const { certificateFiles, server } = loaded.configuration;
    if (certificateFiles === undefined || files.certificate === undefined) return;
    this.#watcher = new CertificateWatcher(certificateFiles, {
      current: { ...files.certificate, keyMode: undefined },
      listenHosts: (server.listen ?? []).map(({ host = "127.0.0.1" }) => host),
      onChange: (renewed) => {
        const { configuration } = loaded;
        const now = new Date();
        this.#server.reconfigure(toServerOptions(configuration, { ...files, certificate: renewed }, now));
        this.#logger.remark("info", `certificate replaced: ${renewed.examined.info?.fingerprint}`);
      },
      onProblem: (reason) => this.#logger.remark("error", `certificate kept as it was: ${reason}`),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reloading;
    await this.#watcher?.[Symbol.asyncDispose]();
  }

  async #reload(): Promise<void> {
    try {
      const loaded = await loadConfiguration(this.#args);
      const inspection = await inspect(loaded.configuration, loaded.file, new Date());
      refuseObstacles(loaded, inspection);
      this.#server.reconfigure(toServerOptions(loaded.configuration, inspection.files, new Date()));
      await this.#watcher?.[Symbol.asyncDispose]();
      this.watch(loaded, inspection);
      this.#logger.remark("info", "configuration reloaded");
      logFindings(this.#logger, inspection);
    } catch (error) {
      const isExpected = error instanceof ExitError || error instanceof ConfigurationError;
      const reason = isExpected || error instanceof TypeError ? error.message : String(error);
      this.#logger.remark("error", `configuration kept as it was: ${reason}`);
    }
  }
}
