/**
 * What a running server is given anew: its configuration on SIGHUP, its certificate when the files change.
 *
 * @module
 */

import { hostHomesOf } from "../check/account_findings.ts";
import { ConfigurationError, formatFinding } from "../settings/finding.ts";
import { abortable, Watchdog } from "../deadline.ts";
import type { Logger } from "../logger.ts";
import type { CertificateContents } from "../check/certificate_files.ts";
import { CertificateWatcher } from "./certificate_watcher.ts";
import type { ConfiguredServer } from "../serve/configured_server.ts";
import { StartError } from "../check/exit_error.ts";
import { describeObstacles, logFindings } from "./findings_text.ts";
import { inspectPair } from "../check/host_inspection.ts";
import { findObstacles, inspect, type Inspection } from "../check/inspection.ts";
import { loadConfiguration, type LoadedConfiguration } from "./load_configuration.ts";
import type { ParsedArguments } from "./option_table.ts";
import { applyReload } from "../serve/restart_needs.ts";
import type { ServerPlan } from "../serve/worker_messages.ts";

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

/** What a server was started with. */
interface Start {
  readonly loaded: LoadedConfiguration;
  readonly inspection: Inspection;
}

/** What a server runs with. */
interface Running extends ServerPlan {
  readonly file: string | undefined;
}

/** Gives a running server what the configuration, or the files of its certificate, say now. */
export class Reloader implements AsyncDisposable {
  readonly #options: ReloaderOptions;
  readonly #started = Promise.withResolvers<void>();
  #running: Running | undefined;
  #watcher: CertificateWatcher | undefined;
  #reloading: Promise<void> = this.#started.promise;
  /** Whether a reload waits for the one before; it reads all that has changed until then. */
  #isQueued = false;
  readonly #disposed = new AbortController();

  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  /** Tells what the server has been started with, and so lets reloads begin; to be called once it listens. */
  start({ loaded: { configuration, file }, inspection: { files } }: Start): void {
    this.#running = { configuration, files, file };
    this.#watch(this.#running);
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
    if (this.#disposed.signal.aborted || this.#running === undefined) return;
    const { logger } = this.#options;
    try {
      const { loaded, inspection } = await this.#read();
      const { configuration, file } = loaded;
      const obstacles = describeObstacles(loaded, inspection);
      if (obstacles.length > 0) return this.#keep(obstacles);
      const needs = await this.#apply({ configuration, files: inspection.files, file });
      logger.log("info", "configuration reloaded");
      logFindings(logger, { findings: inspection.findings, file });
      for (const text of needs) logger.log("warn", text);
    } catch (error) {
      if (!this.#disposed.signal.aborted) this.#keep(reasonsOf(error));
    }
  }

  /** Reads what there is, but does not wait for ever: a home may be on a file system whose server is away. */
  async #read(): Promise<Start> {
    const late = new AbortController();
    using _deadline = new Watchdog(READ_DEADLINE_MS, () => late.abort(new StartError(NO_ANSWER, "ls -l")));
    const signal = AbortSignal.any([late.signal, this.#disposed.signal]);
    const homes = this.#running === undefined ? [] : hostHomesOf(this.#running.configuration);
    const served = new Set(homes.map(({ folder }) => folder));
    const reading = loadConfiguration(this.#options.args).then(async (loaded) => {
      return { loaded, inspection: await inspect(loaded.configuration, loaded, new Date(), served) };
    });
    return await abortable(reading, signal);
  }

  /** Lets the server use what can change; returns a line for each change that waits for a restart. */
  async #apply({ file, ...next }: Running): Promise<readonly string[]> {
    // Nothing else may change the certificate meanwhile.
    await this.#watcher?.[Symbol.asyncDispose]();
    const running = this.#running ?? { ...next, file };
    try {
      const { plan, needs } = applyReload(running, next);
      await this.#options.server.reconfigure(plan);
      this.#running = { ...plan, file };
      return needs;
    } finally {
      this.#watch(this.#running ?? running);
    }
  }

  #keep(reasons: readonly string[]): void {
    for (const reason of reasons) {
      this.#options.logger.log("error", `reload failed, keeping the current configuration: ${reason}`);
    }
  }

  /** Watches the files of the certificate in use from now on. */
  #watch({ configuration, files: { certificate }, file }: Running): void {
    this.#watcher = undefined;
    const { tls } = configuration;
    if (
      tls.certificate === undefined || tls.key === undefined || certificate === undefined ||
      this.#disposed.signal.aborted
    ) return;
    const { logger, watchIntervalMs } = this.#options;
    this.#watcher = new CertificateWatcher({ certificate: tls.certificate, key: tls.key }, {
      current: { ...certificate, keyMode: certificate.keyMode },
      judge: async (contents) => {
        const examined = await inspectPair(configuration, contents, new Date());
        const obstacles = findObstacles(configuration, examined.findings, new Date()).map(formatFinding);
        return { examined, obstacles };
      },
      onChange: async ({ examined, ...contents }) => {
        await this.#useCertificate(contents);
        logger.log("info", `certificate replaced: ${examined.info?.fingerprint}`);
        logFindings(logger, { findings: examined.findings, file });
      },
      onProblem: (reason) => logger.log("error", `keeping the current certificate: ${reason}`),
      ...watchIntervalMs === undefined ? {} : { intervalMs: watchIntervalMs },
    });
  }

  async #useCertificate(certificate: CertificateContents): Promise<void> {
    await this.#options.server.replaceCertificate(certificate);
    if (this.#running === undefined) return;
    this.#running = { ...this.#running, files: { ...this.#running.files, certificate } };
  }
}

function reasonsOf(error: unknown): string[] {
  if (error instanceof ConfigurationError) return error.findings.map(formatFinding);
  return [error instanceof Error ? error.message : String(error)];
}
