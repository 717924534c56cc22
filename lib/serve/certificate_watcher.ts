/**
 * Noticing that the files of the server's certificate have changed, and in time that it will expire.
 *
 * They are read again from time to time: the runtime's watcher of files does not tell of a symbolic link that is led
 * elsewhere, which is how certbot and Kubernetes renew, and would need more permissions than reading two files.
 *
 * @module
 */

import { type ExaminedCertificate, findCertificateProblems } from "../check/certificate_findings.ts";
import { ExitError } from "../check/exit_error.ts";
import {
  type CertificateContents,
  type CertificateFiles,
  PemFileError,
  readCertificateFiles,
} from "../check/host_files.ts";
import type { FtpServer } from "../server/ftp_server.ts";
import type { Finding } from "../settings/finding.ts";
import { formatPath } from "../settings/key_path.ts";

/** A pair that was found in the files, fit to be used. */
export interface RenewedCertificate extends CertificateContents {
  /** What there is to know and to say about it; no errors. */
  readonly examined: ExaminedCertificate;
}

/** What is said about a pair. */
export interface JudgedCertificate {
  readonly examined: ExaminedCertificate;
  /** Why it cannot be used, a line each; none for one that can. */
  readonly obstacles: readonly string[];
}

/** Options of {@linkcode CertificateWatcher}. */
export interface CertificateWatcherOptions {
  /** What the server uses now. */
  readonly current: CertificateContents;
  /** Judges a pair, as at the start of the server. */
  readonly judge: (contents: CertificateContents) => Promise<JudgedCertificate>;
  /** Called once for each new pair that can be used, and waited for. What it throws is reported as a problem. */
  readonly onChange: (renewed: RenewedCertificate) => void | Promise<void>;
  /** Called once for each change that cannot be used, with one line saying why; the pair in use should stay. */
  readonly onProblem: (reason: string) => void;
  /**
   * Milliseconds between two looks. A change counts once it was seen twice, so that half-written files do not.
   *
   * @default {10_000}
   */
  readonly intervalMs?: number;
}

/** What was seen in the files at one look. */
type Sight = { readonly contents: CertificateContents } | { readonly reason: string };

/** Looks at the files until it is disposed of; it holds a timer until then. */
export class CertificateWatcher implements AsyncDisposable {
  readonly #files: CertificateFiles;
  readonly #options: CertificateWatcherOptions;
  /** What was reported last, or is in use. */
  #settled: string;
  #inUse: CertificateContents;
  #lastSeen: string;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> = Promise.resolve();
  readonly #disposed = new AbortController();

  /** Starts to look; the first time after one interval. */
  constructor(files: CertificateFiles, options: CertificateWatcherOptions) {
    this.#files = files;
    this.#options = options;
    this.#inUse = options.current;
    this.#settled = this.#lastSeen = identify({ contents: options.current });
    this.#schedule();
  }

  /** Stops, a look that is under way too; nothing is called after that. May be called twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort();
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** Looks at the files once, behind a look that is under way. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  #schedule(): void {
    const { intervalMs = 10_000 } = this.#options;
    this.#timer = setTimeout(async () => {
      await this.look();
      if (!this.#disposed.signal.aborted) this.#schedule();
    }, intervalMs);
  }

  async #look(): Promise<void> {
    if (this.#disposed.signal.aborted) return;
    const sight = await this.#see();
    const seen = identify(sight);
    const isSettling = seen !== this.#lastSeen;
    this.#lastSeen = seen;
    if (this.#disposed.signal.aborted || isSettling || seen === this.#settled) return;
    this.#settled = seen;
    if ("reason" in sight) this.#options.onProblem(sight.reason);
    else await this.#tell(sight.contents);
  }

  async #see(): Promise<Sight> {
    try {
      return { contents: await readCertificateFiles(this.#files, this.#disposed.signal) };
    } catch (error) {
      return { reason: reasonOf(error) };
    }
  }

  async #tell(contents: CertificateContents): Promise<void> {
    const { judge, onChange, onProblem } = this.#options;
    try {
      const { examined, obstacles } = await judge(contents);
      if (this.#disposed.signal.aborted) return;
      if (obstacles.length > 0) return onProblem(obstacles.join("; "));
      if (isSamePair(contents, this.#inUse)) return;
      await onChange({ ...contents, examined });
      this.#inUse = contents;
    } catch (error) {
      onProblem(error instanceof Error ? error.message : String(error));
    }
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof PemFileError) return `${formatPath(error.path)}: ${error.message}`;
  return error instanceof ExitError ? error.message : String(error);
}

/** Equal for equal texts, and the same mode of the key: who may read it decides whether the pair may be used. */
function identify(sight: Sight): string {
  if ("reason" in sight) return sight.reason;
  const { certificate, key, keyMode } = sight.contents;
  return `${keyMode}\n${certificate}\n${key}`;
}

function isSamePair(one: CertificateContents, other: CertificateContents): boolean {
  return one.certificate === other.certificate && one.key === other.key;
}

/** Options of {@linkcode ExpiryNotice}. */
export interface ExpiryNoticeOptions {
  /** The certificate in use; `undefined` without TLS. */
  readonly current: () => FtpServer["certificate"];
  /** Called with what there is to say, from 14 days before the end on. */
  readonly onFinding: (finding: Finding) => void;
  /**
   * Milliseconds between two looks; the first one comes after that time.
   *
   * @default {86_400_000}
   */
  readonly intervalMs?: number;
}

/** Looks at the dates of the certificate each day until it is disposed of; it holds a timer until then. */
export class ExpiryNotice implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;

  constructor({ current, onFinding, intervalMs = 86_400_000 }: ExpiryNoticeOptions) {
    this.#timer = setInterval(() => {
      const info = current();
      if (info === undefined) return;
      for (const finding of findCertificateProblems(info, { now: new Date(), listenHosts: [] })) onFinding(finding);
    }, intervalMs);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
