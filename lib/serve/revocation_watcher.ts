/**
 * Noticing that the file of the revocation lists has changed, and that one of them is overdue.
 *
 * It is read again from time to time, as the files of the certificate are: see `certificate_watcher.ts`.
 *
 * @module
 */

import { findOverdueLists } from "../check/certificate_findings.ts";
import { ExitError } from "../check/exit_error.ts";
import { readRevocationFile } from "../check/host_files.ts";
import type { Finding } from "../settings/finding.ts";
import { type RevocationListInfo, RevocationLists } from "../transport/revocation_list.ts";

/** Options of {@linkcode RevocationWatcher}. */
export interface RevocationWatcherOptions {
  /** Path of the file. */
  readonly file: string;
  /** What is in use of it, PEM. */
  readonly current: string;
  /** Who may sign lists, PEM. */
  readonly ca: string;
  /** Called once for lists that are new and can be used, and waited for. What it throws is reported as a problem. */
  readonly onChange: (crl: string) => Promise<void>;
  /** Called once for each change that cannot be used, with one line saying why; the lists in use should stay. */
  readonly onProblem: (reason: string) => void;
  /** Called once for lists in use of which one is overdue, with what there is to say. */
  readonly onFindings: (findings: readonly Finding[]) => void;
  /**
   * Milliseconds between two looks. A change counts once it was seen twice, so that half-written files do not.
   *
   * @default {10_000}
   */
  readonly intervalMs?: number | undefined;
}

const KEY = ["tls", "clientCertificates", "crl"];

/** Looks at the file until it is disposed of; it holds a timer until then. */
export class RevocationWatcher implements AsyncDisposable {
  readonly #options: RevocationWatcherOptions;
  #inUse: string;
  #lastSeen: string;
  #settled: string;
  #lists: readonly RevocationListInfo[];
  /** Whether it was said that one of them is overdue. */
  #saidOverdue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> = Promise.resolve();
  readonly #disposed = new AbortController();

  /** Starts to look; the first time after one interval. */
  constructor(options: RevocationWatcherOptions) {
    this.#options = options;
    this.#inUse = this.#lastSeen = this.#settled = options.current;
    this.#lists = this.#read(options.current);
    this.#saidOverdue = findOverdueLists(this.#lists, new Date()).length > 0; // at the start, or by the reload
    this.#schedule();
  }

  /** Stops, a look that is under way too; nothing is called after that. May be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #schedule(): void {
    const { intervalMs = 10_000 } = this.#options;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then(() => {
        if (!this.#disposed.signal.aborted) this.#schedule();
      });
    }, intervalMs);
  }

  async #look(): Promise<void> {
    const { file, onProblem } = this.#options;
    const { signal } = this.#disposed;
    try {
      const seen = await readRevocationFile(file, KEY, signal);
      const isSettled = seen === this.#lastSeen && seen !== this.#settled;
      this.#lastSeen = seen;
      if (isSettled && !signal.aborted) await this.#use(this.#settled = seen);
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof ExitError || error instanceof TypeError ? error.message : String(error);
      if (reason !== this.#settled) onProblem(this.#settled = reason);
    }
    if (!signal.aborted) this.#tellOverdue();
  }

  /** @throws {TypeError} When they cannot be used. */
  async #use(crl: string): Promise<void> {
    if (crl === this.#inUse) return;
    await this.#options.onChange(crl);
    this.#inUse = crl;
    this.#lists = this.#read(crl);
    this.#saidOverdue = false;
  }

  #tellOverdue(): void {
    if (this.#saidOverdue) return;
    const findings = findOverdueLists(this.#lists, new Date());
    this.#saidOverdue = findings.length > 0;
    if (this.#saidOverdue) this.#options.onFindings(findings);
  }

  #read(crl: string): readonly RevocationListInfo[] {
    return new RevocationLists(crl, this.#options.ca).info;
  }
}
