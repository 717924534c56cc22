/**
 * What a running server is given anew: its configuration on SIGHUP, its certificate when the files change.
 *
 * @module
 */

import { hostHomesOf } from "../check/account_findings.ts";
import { abortable, Watchdog } from "../deadline.ts";
import { type Finding, formatFinding, formatWhere } from "../settings/finding.ts";
import type { CertificateContents } from "../check/host_files.ts";
import { CertificateWatcher } from "./certificate_watcher.ts";
import type { ConfiguredServer } from "./configured_server.ts";
import { StartError } from "../check/exit_error.ts";
import { inspectPair } from "../check/host_inspection.ts";
import { findObstacles } from "../check/inspection.ts";
import { applyReload } from "./restart_needs.ts";
import { type Remark, UnusableConfigurationError } from "./serve_settings.ts";
import { RevocationWatcher } from "./revocation_watcher.ts";
import type { ServerPlan } from "./worker_messages.ts";

/** Longest wait, in milliseconds, for all that a reload reads. */
const READ_DEADLINE_MS = 30_000;
const NO_ANSWER = "a file or home that it names does not answer";

/** A configuration as it was read, and what was found about it on this host. */
export interface Reading {
  readonly plan: ServerPlan;
  readonly findings: readonly Finding[];
  /** Why it cannot be used, a line for each reason. */
  readonly obstacles: readonly string[];
}

/** What a {@linkcode Reloader} works with. */
export interface ReloaderOptions {
  /**
   * Reads the configuration as it is now.
   *
   * @param servedHomes Homes that clients use already.
   */
  readonly read: (servedHomes: ReadonlySet<string>) => Promise<Reading>;
  readonly server: ConfiguredServer;
  /** Told of a plan that the server uses from now on. Must not reject. */
  readonly onApplied?: ((plan: ServerPlan) => Promise<void>) | undefined;
  readonly log: (level: Remark["level"], text: string) => void;
  /** Names what a finding is about where there is a better name than its key, such as an option. */
  readonly nameOf?: (finding: Finding) => string | undefined;
  /** Milliseconds between two looks at the files of the certificate; absent: the watcher's own. */
  readonly watchIntervalMs?: number | undefined;
}

/** Gives a running server what the configuration, or the files of its certificate, say now. */
export class Reloader implements AsyncDisposable {
  readonly #options: ReloaderOptions;
  readonly #started = Promise.withResolvers<void>();
  #running: ServerPlan | undefined;
  #watcher: CertificateWatcher | undefined;
  #revocationWatcher: RevocationWatcher | undefined;
  #reloading: Promise<readonly string[]> = this.#started.promise.then(() => []);
  /** Whether a reload waits for the one before; it reads all that has changed until then. */
  #isQueued = false;
  readonly #disposed = new AbortController();

  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  /** Takes what the server has been started with, so that reloads can begin; to be called once it listens. */
  start({ plan, findings }: Reading): void {
    this.#remark(findings);
    this.#running = plan;
    this.#watch(plan);
    this.#started.resolve();
  }

  /**
   * Reads everything again. One reload follows the other.
   *
   * @returns What was logged of it: accepted risks, warnings, and what waits for a restart.
   * @throws {UnusableConfigurationError} When it is wrong or unsafe; nothing has changed then, as after other errors.
   */
  reload(): Promise<readonly string[]> {
    if (this.#isQueued) return this.#reloading;
    this.#isQueued = true;
    this.#reloading = this.#reloading.then(() => {}, () => {}).then(() => {
      this.#isQueued = false;
      return this.#reload();
    });
    return this.#reloading;
  }

  /** Ends what is under way, also where a file system does not answer. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    this.#started.resolve();
    await this.#reloading.catch(() => {}); // reported to the caller
    await this.#stopWatching();
  }

  async #reload(): Promise<readonly string[]> {
    if (this.#disposed.signal.aborted || this.#running === undefined) return [];
    const { log } = this.#options;
    try {
      const { plan, findings, obstacles } = await this.#read(this.#running);
      if (obstacles.length > 0) throw new UnusableConfigurationError(obstacles);
      const needs = await this.#apply(this.#running, plan);
      log("info", "configuration reloaded");
      const remarks = this.#remark(findings);
      for (const text of needs) log("warn", text);
      return [...remarks, ...needs];
    } catch (error) {
      if (!this.#disposed.signal.aborted) throw error;
      return [];
    }
  }

  /** Reads what there is, but does not wait for ever: a home may be on a file system whose server is away. */
  async #read({ configuration }: ServerPlan): Promise<Reading> {
    const late = new AbortController();
    using _deadline = new Watchdog(READ_DEADLINE_MS, () => late.abort(new StartError(NO_ANSWER, "ls -l")));
    const signal = AbortSignal.any([late.signal, this.#disposed.signal]);
    const served = new Set(hostHomesOf(configuration).map(({ folder }) => folder));
    return await abortable(this.#options.read(served), signal);
  }

  /** Lets the server use what can change; returns a line for each change that waits for a restart. */
  async #apply(running: ServerPlan, next: ServerPlan): Promise<readonly string[]> {
    // Nothing else may change the certificate meanwhile.
    await this.#stopWatching();
    try {
      const { plan, needs } = applyReload(this.#running ?? running, next);
      await this.#options.server.reconfigure(plan);
      this.#running = plan;
      await this.#options.onApplied?.(plan);
      return needs;
    } finally {
      this.#watch(this.#running ?? running);
    }
  }

  /** Logs accepted risks and warnings, at every start and reload, and returns them. */
  #remark(findings: readonly Finding[]): readonly string[] {
    const { log, nameOf } = this.#options;
    const lines = findings.map((finding) => {
      const { risk, message } = finding;
      const name = nameOf?.(finding) ?? formatWhere(finding);
      const text = name === "" ? message : `${name}: ${message}`;
      return risk === undefined ? text : `risk ${risk} accepted: ${text}`;
    });
    for (const line of lines) log("warn", line);
    return lines;
  }

  async #stopWatching(): Promise<void> {
    await this.#watcher?.[Symbol.asyncDispose]();
    await this.#revocationWatcher?.[Symbol.asyncDispose]();
  }

  /** Watches the files of the certificate and of the revocation lists in use from now on. */
  #watch(plan: ServerPlan): void {
    this.#watchCertificate(plan);
    this.#watchRevocations(plan);
  }

  #watchRevocations({ configuration: { tls }, files: { clientCa, clientCrl } }: ServerPlan): void {
    this.#revocationWatcher = undefined;
    const { crl } = tls.clientCertificates;
    if (crl === undefined || clientCa === undefined || clientCrl === undefined || this.#disposed.signal.aborted) return;
    const { log, server, watchIntervalMs } = this.#options;
    this.#revocationWatcher = new RevocationWatcher({
      file: crl,
      current: clientCrl,
      ca: clientCa,
      onChange: async (text) => {
        await server.replaceRevocationLists(text);
        if (this.#running !== undefined) {
          this.#running = { ...this.#running, files: { ...this.#running.files, clientCrl: text } };
        }
        log("info", "revocation lists replaced");
      },
      onProblem: (reason) => log("error", `keeping the current revocation lists: ${reason}`),
      onFindings: (findings) => this.#remark(findings),
      intervalMs: watchIntervalMs,
    });
  }

  #watchCertificate({ configuration, files: { certificate } }: ServerPlan): void {
    this.#watcher = undefined;
    const { tls } = configuration;
    if (
      tls.certificate === undefined || tls.key === undefined || certificate === undefined ||
      this.#disposed.signal.aborted
    ) return;
    const { log, watchIntervalMs } = this.#options;
    this.#watcher = new CertificateWatcher({ certificate: tls.certificate, key: tls.key }, {
      current: { ...certificate, keyMode: certificate.keyMode },
      judge: async (contents) => {
        const examined = await inspectPair(configuration, contents, new Date());
        const obstacles = findObstacles(configuration, examined.findings, new Date()).map(formatFinding);
        return { examined, obstacles };
      },
      onChange: async ({ examined, ...contents }) => {
        await this.#useCertificate(contents);
        log("info", `certificate replaced: ${examined.info?.fingerprint}`);
        this.#remark(examined.findings);
      },
      onProblem: (reason) => log("error", `keeping the current certificate: ${reason}`),
      ...watchIntervalMs === undefined ? {} : { intervalMs: watchIntervalMs },
    });
  }

  async #useCertificate(certificate: CertificateContents): Promise<void> {
    await this.#options.server.replaceCertificate(certificate);
    if (this.#running === undefined) return;
    this.#running = { ...this.#running, files: { ...this.#running.files, certificate } };
  }
}
