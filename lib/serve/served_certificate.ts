/**
 * The certificate of a served configuration that is ordered from a CA (`tls.acme`). Loaded where a configuration has it.
 *
 * @module
 */

import project from "../../deno.json" with { type: "json" };
import { issueCertificate } from "../acme/acme_issuer.ts";
import { FolderStorage, NodeStorage, SharedStorage } from "../acme/acme_storage.ts";
import { CertificateKeeper, type ExaminedPair, type KeeperStatus } from "../acme/certificate_keeper.ts";
import { CertificateStore } from "../acme/certificate_store.ts";
import { ChallengeListener } from "../acme/challenge_listener.ts";
import type { ChallengeAnswers, ObtainedCertificate } from "../acme/obtain_certificate.ts";
import type { RetryTimes } from "../acme/renewal_times.ts";
import { NodeSeal } from "../acme/node_seal.ts";
import { SharedAnswers, type SharedAnswersOptions } from "../acme/shared_answers.ts";
import type { AcmeSettings } from "../check/acme_files.ts";
import { examineCertificate } from "../check/certificate_findings.ts";
import { StartError } from "../check/exit_error.ts";
import type { EventListener } from "../events.ts";
import type { ConfigurationFiles } from "../server/configured_options.ts";
import { SOLE_DUTIES } from "../state/duties.ts";
import type { PostgresEngine } from "../state/postgres/postgres_engine.ts";
import { describeThrown } from "../thrown.ts";
import type { ConfiguredServer } from "./configured_server.ts";
import type { Remark } from "./serve_settings.ts";
import type { ServerPlan } from "./worker_messages.ts";

/** What it works with. */
export interface ServedCertificateOptions {
  /** The nodes that share it; absent: this server is alone. */
  readonly cluster: PostgresEngine | undefined;
  readonly onEvent: EventListener;
  readonly log: (level: Remark["level"], text: string) => void;
  /** Waits after failures; absent: the usual ones. */
  readonly retry?: RetryTimes | undefined;
  /** Longest wait for the first certificate, in milliseconds. @default {60_000} */
  readonly firstWaitMs?: number | undefined;
}

const FIRST_WAIT_MS = 60_000;
const RENEWED = "renewed";

/** Orders it, renews it, and gives it to the server, until it is disposed of. */
export class ServedCertificate implements AsyncDisposable {
  readonly #keeper: CertificateKeeper;
  readonly #answers: SharedAnswers | undefined;
  readonly #options: ServedCertificateOptions;
  readonly #opened: AsyncDisposableStack;
  readonly #server: { use: ((pair: ObtainedCertificate) => Promise<void>) | undefined };

  private constructor(
    parts: {
      readonly keeper: CertificateKeeper;
      readonly answers: SharedAnswers | undefined;
      readonly server: { use: ((pair: ObtainedCertificate) => Promise<void>) | undefined };
    },
    options: ServedCertificateOptions,
    opened: AsyncDisposableStack,
  ) {
    this.#keeper = parts.keeper;
    this.#answers = parts.answers;
    this.#server = parts.server;
    this.#options = options;
    this.#opened = opened;
  }

  /**
   * Takes what is stored, and begins to order where that is nothing.
   *
   * @param acme The settings.
   * @param files What their files hold.
   * @throws {StartError} When the folder cannot be used.
   */
  static async open(
    acme: AcmeSettings,
    { configuration, files }: ServerPlan,
    options: ServedCertificateOptions,
  ): Promise<ServedCertificate> {
    const { cluster, log, onEvent, retry } = options;
    const { directory, domains, storage: folder, httpHost, httpPort } = acme;
    await using opened = new AsyncDisposableStack();
    const own = new FolderStorage(folder);
    const seal = cluster && new NodeSeal(secretOf(files));
    const storage = cluster === undefined || seal === undefined
      ? own
      : new NodeStorage(own, new SharedStorage(cluster.records, seal), once((reason) => log("error", reason)));
    const store = new CertificateStore(storage, directory, domains);
    const listener = opened.use(new ChallengeListener({ host: httpHost, port: httpPort }));
    const { state: { node } } = configuration;
    const shared = cluster && seal && opened.use(shareAnswers(cluster, { listener, seal, node, log }));
    const answers: ChallengeAnswers = shared ?? { use: (texts) => listener.use(texts) };
    const server: { use: ((pair: ObtainedCertificate) => Promise<void>) | undefined } = { use: undefined };
    const keeper = opened.use(
      new CertificateKeeper({
        names: domains,
        store,
        order: (signal) => issueCertificate({ ...issuerOf(acme, files, log), store, answers }, signal),
        examine,
        use: async (pair) => await server.use?.(pair),
        duties: cluster?.duties ?? SOLE_DUTIES,
        hasOthers: cluster !== undefined,
        onRenewed: ({ names, fingerprint, validTo }) => {
          const fields = { names, fingerprint, validTo: validTo.toISOString() };
          onEvent({ event: "certificateRenewed", time: new Date(), ...fields });
          cluster?.tell("certificate", RENEWED).catch((cause) =>
            log("warn", `other nodes learn of the certificate later: ${describeThrown(cause)}`)
          );
        },
        onFailed: ({ message, hint }, { failures, notBefore }) => {
          const fields = { names: domains, reason: message, hint, failures };
          const nextAttempt = new Date(notBefore).toISOString();
          onEvent({ event: "certificateRenewalFailed", time: new Date(), ...fields, nextAttempt });
        },
        log,
        retry,
      }),
    );
    try {
      await keeper.start();
    } catch (cause) {
      throw new StartError(cause instanceof Error ? cause.message : describeThrown(cause), `ls -ld ${folder}`, {
        cause,
      });
    }
    return new ServedCertificate({ keeper, answers: shared, server }, options, opened.move());
  }

  /**
   * Waits for the first certificate, where there is none, but not for long: a port that is open, and a log that says what is wrong,
   * serve an operator more than a start that fails again and again.
   *
   * @returns The certificate; `undefined` where there is none yet.
   */
  async first(signal?: AbortSignal): Promise<ObtainedCertificate | undefined> {
    const { log, firstWaitMs = FIRST_WAIT_MS } = this.#options;
    const late = AbortSignal.timeout(firstWaitMs);
    await this.#keeper.settled(signal === undefined ? late : AbortSignal.any([late, signal]));
    const { current } = this.#keeper;
    if (current === undefined) {
      log(
        "warn",
        "serving with a certificate made in memory, which clients cannot verify, until there is one of the CA",
      );
    }
    return current;
  }

  /** Gives the server each certificate from now on. */
  attach(server: Pick<ConfiguredServer, "replaceCertificate" | "plan">): void {
    this.#server.use = (pair) => server.replaceCertificate(pair);
    this.#keeper.attach(server.plan.files.certificate?.certificate);
  }

  /** Takes what nodes tell each other. */
  hear(subject: string): void {
    if (subject === RENEWED) this.#keeper.wake();
    else this.#answers?.hear(subject);
  }

  /** Tries again, where the last attempt has failed: whoever reloads may have mended something. */
  retry(): void {
    if (this.#keeper.status.failures > 0) this.#keeper.retry();
  }

  /** How it is doing. */
  get status(): KeeperStatus {
    return this.#keeper.status;
  }

  /** Ends an order that is under way; the next start goes on with it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

function issuerOf(acme: AcmeSettings, files: ConfigurationFiles, log: ServedCertificateOptions["log"]) {
  const { directory, domains, email, externalAccount } = acme;
  const { ca, externalKey } = files.acme ?? {};
  return {
    directory,
    names: domains,
    email,
    external: externalAccount && { keyId: externalAccount.keyId, key: externalKey ?? "" },
    ca,
    userAgent: `ftpsd/${project.version}`,
    onProgress: (text: string) => log("info", `certificate: ${text}`),
  };
}

function shareAnswers(
  cluster: PostgresEngine,
  own: Pick<SharedAnswersOptions, "listener" | "seal" | "node" | "log">,
): SharedAnswers {
  return new SharedAnswers({
    ...own,
    records: cluster.records,
    tell: (subject) => cluster.tell("certificate", subject),
    countNodes: async () => (await cluster.nodes()).length,
  });
}

function secretOf({ acme }: ConfigurationFiles): string {
  if (acme?.secret !== undefined) return acme.secret;
  throw new StartError("cannot read tls.acme.secretFile", "ftpsd check --config FILE");
}

/** The same handshake in memory as for files. */
async function examine(pair: ObtainedCertificate): Promise<ExaminedPair> {
  const { info, findings } = await examineCertificate({ ...pair, keyMode: undefined }, {
    now: new Date(),
    listenHosts: [],
  });
  if (info === undefined) throw new TypeError(findings.map(({ message }) => message).join("; "));
  const { names, validFrom, validTo, fingerprint } = info;
  return { names, validFrom, validTo, fingerprint };
}

/** Says a thing once, until there is another to say. */
function once(say: (text: string) => void): (text: string) => void {
  let said: string | undefined;
  return (text) => {
    if (text === said) return;
    said = text;
    say(text);
  };
}
