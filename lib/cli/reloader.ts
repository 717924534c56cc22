/**
 * What a running server is given anew: its configuration on SIGHUP, its certificate when the files change.
 *
 * @module
 */

import type { Configuration } from "../config/configuration.ts";
import { ConfigurationError, formatProblem } from "../config/problem.ts";
import { abortable, Watchdog } from "../deadline.ts";
import type { Logger } from "../logger.ts";
import { CertificateWatcher } from "./certificate_watcher.ts";
import type { ConfiguredServer } from "./configured_server.ts";
import { ExitError, StartError } from "./exit_error.ts";
import { describeObstacles, logFindings } from "./findings_text.ts";
import { inspect, type Inspection } from "./inspection.ts";
import { loadConfiguration, type LoadedConfiguration } from "./load_configuration.ts";
import type { ParsedArguments } from "./option_table.ts";
import { findRestartNeeds } from "./restart_needs.ts";

/** Longest wait, in milliseconds, for all that a reload reads. */
const READ_DEADLINE_MS = 30_000;
const NO_ANSWER = "a file or home that it names does not answer";

/** What a {@linkcode Reloader} works with. */
export interface ReloaderOptions {
  /** The command line, which is obeyed at each reload as at the start. */
  readonly args: ParsedArguments;
  readonly server: ConfiguredServer;
  readonly logger: Logger;
  /** Milliseconds between two looks at the files of the certificate; absent: the watcher's own. */
  readonly watchIntervalMs?: number;
}

/** What a server runs with. */
interface InUse {
  readonly loaded: LoadedConfiguration;
  readonly inspection: Inspection;
}

/** Gives a running server what the configuration, or the files of its certificate, say now. */
export class Reloader implements AsyncDisposable {
  readonly #options: ReloaderOptions;
  readonly #started = Promise.withResolvers<void>();
  /** What the server was started with; some of it holds until it ends. */
  #first: Configuration | undefined;
  #watcher: CertificateWatcher | undefined;
  #reloading: Promise<void> = this.#started.promise;
  /** Whether a reload waits for the one before; it reads all that has changed until then. */
  #isQueued = false;
  readonly #disposed = new AbortController();

  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  /** Tells what the server has been started with, and so lets reloads begin; to be called once it listens. */
  start(inUse: InUse): void {
    this.#first = inUse.loaded.configuration;
    this.#watch(inUse);
    this.#started.resolve();
  }

  /** Reads everything again; what cannot be used changes nothing. One reload follows the other. Never rejects. */
  reload(): Promise<void> {
    if (this.#isQueued) return this.#reloading;
    this.#isQueued = true;
    this.#reloading = this.#reloading.then(() => {
      this.#isQueued = false;
      return this.#reload();
    });
    return this.#reloading;
  }

  /** Ends what is under way, also where a file system does not answer. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    this.#started.resolve();
    await this.#reloading;
    await this.#watcher?.[Symbol.asyncDispose]();
  }

  async #reload(): Promise<void> {
    if (this.#disposed.signal.aborted) return;
    const { server, logger } = this.#options;
    try {
      const { loaded, inspection } = await this.#read();
      const obstacles = describeObstacles(loaded, inspection);
      if (obstacles.length > 0) return this.#keep(obstacles);
      server.reconfigure({ configuration: loaded.configuration, files: inspection.files });
      await this.#watcher?.[Symbol.asyncDispose]();
      this.#watch({ loaded, inspection });
      logger.remark("info", "configuration reloaded");
      logFindings(logger, { findings: inspection.findings, file: loaded.file });
      for (const text of this.#first === undefined ? [] : findRestartNeeds(this.#first, loaded.configuration)) {
        logger.remark("warn", text);
      }
    } catch (error) {
      if (!this.#disposed.signal.aborted) this.#keep(reasonsOf(error));
    }
  }

  /** Reads what there is, but does not wait for ever: a home may be on a file system whose server is away. */
  async #read(): Promise<InUse> {
    const late = new AbortController();
    using _deadline = new Watchdog(READ_DEADLINE_MS, () => late.abort(new StartError(NO_ANSWER, "ls -l")));
    const signal = AbortSignal.any([late.signal, this.#disposed.signal]);
    const reading = loadConfiguration(this.#options.args).then(async (loaded) => {
      return { loaded, inspection: await inspect(loaded.configuration, loaded.file, new Date()) };
    });
    return await abortable(reading, signal);
  }

  #keep(reasons: readonly string[]): void {
    for (const reason of reasons) this.#options.logger.remark("error", `configuration kept as it was: ${reason}`);
  }

  /** Watches the files of the certificate in use from now on. */
  #watch({ loaded, inspection: { files } }: InUse): void {
    this.#watcher = undefined;
    const { certificateFiles, server: { listen = [{}] } } = loaded.configuration;
    if (certificateFiles === undefined || files.certificate === undefined || this.#disposed.signal.aborted) return;
    const { server, logger, watchIntervalMs } = this.#options;
    this.#watcher = new CertificateWatcher(certificateFiles, {
      current: { ...files.certificate, keyMode: undefined },
      listenHosts: listen.map(({ host = "127.0.0.1" }) => host),
      onChange: ({ certificate, key, examined }) => {
        server.replaceCertificate({ certificate, key });
        logger.remark("info", `certificate replaced: ${examined.info?.fingerprint}`);
        logFindings(logger, { findings: examined.findings, file: loaded.file });
      },
      onProblem: (reason) => logger.remark("error", `certificate kept as it was: ${reason}`),
      ...watchIntervalMs === undefined ? {} : { intervalMs: watchIntervalMs },
    });
  }
}

function reasonsOf(error: unknown): string[] {
  if (error instanceof ConfigurationError) return error.problems.map(formatProblem);
  const isExpected = error instanceof ExitError || error instanceof TypeError || error instanceof RangeError;
  return [isExpected ? error.message : String(error)];
}
