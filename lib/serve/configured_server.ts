/**
 * The server of a configuration, in one event loop or in several.
 *
 * @module
 */

import { type AccountEntries, SHARED_ACCOUNT_ENTRIES } from "../accounts/account_entries.ts";
import { SHARED_CODE_REGISTER, UsedCodes } from "../accounts/code_register.ts";
import { type PasswordReplacement, type PasswordStore, SHARED_PASSWORD_STORE } from "../accounts/password_store.ts";
import { namesAnonymous } from "../accounts/permission.ts";
import { SHARED_WORK_PLACES } from "../accounts/work_queue.ts";
import { createWorkPlaces, toServerOptions, withCertificate } from "../server/configured_options.ts";
import type { Readiness } from "../admin/observed.ts";
import type { InstrumentMemory } from "../admin/instruments.ts";
import type { Trace } from "../tracing.ts";
import type { Meter } from "../meter.ts";
import { type EventKeeper, SHARED_EVENT_KEEPER } from "../event_keeper.ts";
import type { EventListener, ServerEvent, ServerEventName } from "../events.ts";
import { FtpServer, type ShutdownOptions } from "../server/ftp_server.ts";
import type { FtpServerOptions } from "../server/options.ts";
import type { SessionInfo } from "../session/session.ts";
import type { SessionSelector } from "../state/session_selector.ts";
import { SHARED_ATTEMPTS } from "../state/attempt_owner.ts";
import { MemoryState } from "../state/memory_state.ts";
import { hasTerm } from "../state/postgres/node_term.ts";
import { createTableMemory, SharedTable } from "../state/shared_table.ts";
import { SHARED_QUOTA_ALLOWANCES } from "../state/quota_allowances.ts";
import { SHARED_QUOTA_STORE } from "../state/quotas.ts";
import { SHARED_RECORDS } from "../state/records.ts";
import type { Bans } from "../state/bans.ts";
import type { PostgresEngine } from "../state/postgres/postgres_engine.ts";
import type { QuotaCounts } from "../state/quotas.ts";
import type { MaybePromise } from "../shared_port.ts";
import { SHARED_STATE, type SharedState } from "../state/state.ts";
import { SHARED_TERM_CLAIMS } from "../state/term_claims.ts";
import type { AccountSources } from "./account_sources.ts";
import { accountProblem } from "./account_problem.ts";
import { createFileClaims } from "./node_claims.ts";
import { ServedFiles } from "./served_files.ts";
import { PortOwner } from "./shared_ports.ts";
import { inMemory, type StateEngine } from "./state_engine.ts";
import { WorkerError, WorkerGroup } from "./worker_group.ts";
import { withPem } from "./pem_change.ts";
import type { CertificatePair, ServerChange, ServerPlan, SharedMemory } from "./worker_messages.ts";

const WORKER_PROGRAM = new URL("./worker_program.ts", import.meta.url);

/** Never called: a compiler of executables finds a module by an import that names it, and by nothing else. */
export function importWorkerProgram(): Promise<unknown> {
  return import("./worker_program.ts");
}

/** How a configuration is served. */
export interface ConfiguredServerOptions {
  /** Event loops, 1 or more. */
  readonly workers: number;
  /** Whether the main event loop goes on alone when the others cannot start. @default {false} */
  readonly mayServeAlone?: boolean;
  /** The module that the other event loops run. @default {worker_program.ts} */
  readonly workerProgram?: URL;
  /** How long an event loop may take to make ready for a change, in milliseconds. @default {30_000} */
  readonly changeTimeoutMs?: number;
  /** What is counted over all of them; absent: memory that they share. */
  readonly state?: SharedState;
  /** What is remembered beyond sessions, which stays the caller's; absent: in memory, to the end of the process. */
  readonly engine?: StateEngine;
  /** Sources of accounts beside the configuration, which stay the caller's; absent: there are none. */
  readonly accounts?: AccountSources | undefined;
  /** The file of the configuration, where users of it may change their passwords; absent: there is none. */
  readonly configurationFile?: string | undefined;
  /** Told of a user who has changed the own password. Must not throw. */
  readonly onPasswordChanged?: ((name: string) => void) | undefined;
  /** Takes the measurements of the main event loop, and where each of the others counts its own; absent: nobody does. */
  readonly measured?: { readonly meter: Meter; readonly others: readonly InstrumentMemory[] } | undefined;
  /** Does work of the main event loop in spans; absent: nobody follows them, in no event loop. */
  readonly trace?: Trace | undefined;
  /** Keeps what files have been moved before clients hear of it, which stays the caller's; absent: nobody does. */
  readonly keeper?: EventKeeper | undefined;
  /** Told of what happens in all of them. */
  readonly onEvent: EventListener;
  /** Called when another configuration or another certificate is in use. Must not throw. */
  readonly onChanged?: (() => void) | undefined;
  /** Which of that it needs of the others; absent: all. */
  readonly events?: readonly ServerEventName[] | undefined;
  /** Whether `dialogue` events are made. */
  readonly dialogue: boolean;
}

/** Most files that are written at once. */
const MAX_CLAIMS = 1 << 15;

/** What the files of a server are kept with. */
interface Parts {
  readonly engine: StateEngine;
  /** Who writes which file, in all event loops. */
  readonly claims: SharedTable;
  readonly files: ServedFiles;
}

function createParts({ engine = inMemory(), workers, measured, trace, onEvent }: ConfiguredServerOptions): Parts {
  const claims = new SharedTable(createTableMemory(MAX_CLAIMS));
  const onProblem = (message: string, cause: unknown) =>
    onEvent({ event: "internalError", time: new Date(), message, cause });
  const { records, quotas, cluster } = engine;
  const files = new ServedFiles({
    claims: createFileClaims(claims, cluster?.claims, cluster?.termCell),
    records,
    quotas,
    duties: cluster?.duties,
    eventLoops: workers,
    meter: measured?.meter,
    trace,
    onProblem,
  });
  return { engine, claims, files };
}

/** What is to hold, here and in the other event loops. */
interface Change {
  readonly serverOptions: FtpServerOptions;
  readonly plan: ServerPlan;
  readonly forOthers: ServerChange;
}

/** Serves a configuration. The main event loop is one of those that serve, and owns what is not in the memory of all. */
export class ConfiguredServer {
  readonly #options: ConfiguredServerOptions;
  readonly #engine: StateEngine;
  readonly #claims: SharedTable;
  readonly #files: ServedFiles;
  readonly #workPlaces = createWorkPlaces();
  readonly #codes: UsedCodes;
  readonly #passwords: PasswordStore = { replace: (replacement) => this.#replacePassword(replacement) };
  readonly #server: FtpServer;
  readonly #finished = Promise.withResolvers<void>();
  #workers: number;
  #plan: ServerPlan;
  #serverOptions: FtpServerOptions;
  /** The others, from when their program is loaded to when they are started. */
  #loaded: WorkerGroup | undefined;
  #group: Promise<WorkerGroup> | undefined;
  #shutdown: Promise<void> | undefined;
  #changing: Promise<void> = Promise.resolve();
  /** The last event, kept back until all event loops have ended. */
  #stopped: ServerEvent | undefined;

  private constructor(plan: ServerPlan, options: ConfiguredServerOptions, parts: Parts) {
    this.#plan = plan;
    this.#options = options;
    this.#engine = parts.engine;
    const { records, keepsRecords } = parts.engine;
    this.#codes = new UsedCodes(keepsRecords ? { records } : {});
    this.#claims = parts.claims;
    this.#files = parts.files;
    const { cluster } = this.#engine;
    const state = options.state ?? cluster?.state;
    this.#workers = options.workers;
    this.#serverOptions = this.#optionsOf(plan);
    this.#server = new FtpServer(
      { ...this.#serverOptions, onEvent: (event) => this.#tell(event), dialogue: options.dialogue },
      {
        ...state && { state },
        offenders: this.#engine.offenders,
        meter: options.measured?.meter,
        trace: options.trace,
        ...cluster && { isAvailable: () => hasTerm(cluster.termCell) },
        keeper: options.keeper,
        ...options.workers > 1 && { sharing: "begins", eventLoops: options.workers },
      },
    );
    this.#finished.promise.catch(() => {}); // reported where it is awaited
  }

  /**
   * Checks the plan, and loads the program of the other event loops, before clients can take the descriptors that this needs.
   * It is owned from here to the end of {@linkcode ConfiguredServer.shutdown}.
   *
   * @throws As the constructor of `FtpServer`.
   * @throws {Error} When another event loop cannot be loaded.
   */
  static async create(plan: ServerPlan, options: ConfiguredServerOptions): Promise<ConfiguredServer> {
    const { configuration, files } = plan;
    // One certificate for all: a client's data connections lead to its own event loop, its next session anywhere.
    const shared = options.workers > 1 ? { configuration, files: await withCertificate(configuration, files) } : plan;
    await using created = new AsyncDisposableStack();
    const parts = createParts(options);
    created.use(parts.files);
    await parts.files.prepare(shared);
    const server = new ConfiguredServer(shared, options, parts);
    if (options.workers > 1) await server.#orAlone(() => server.#loadGroup());
    created.move();
    return server;
  }

  /** How many event loops serve. */
  get workers(): number {
    return this.#workers;
  }

  /** See `FtpServer.addresses`. */
  get addresses(): FtpServer["addresses"] {
    return this.#server.addresses;
  }

  /** See `FtpServer.certificate`. */
  get certificate(): FtpServer["certificate"] {
    return this.#server.certificate;
  }

  /** Who is connected, in all event loops. */
  async sessions(): Promise<readonly SessionInfo[]> {
    const group = await this.#group?.catch(() => undefined); // listen() tells of a failure
    return [...this.#server.sessions, ...await group?.sessions() ?? []];
  }

  /**
   * Ends sessions in all event loops: what they do is cut, and their clients get 421 with the text.
   *
   * @returns How many.
   */
  async disconnect(selector: SessionSelector, text = "Disconnected by the server."): Promise<number> {
    if ("account" in selector) this.#codes.forget(selector.account);
    const own = this.#server.disconnectSelected(selector, text);
    const group = await this.#group?.catch(() => undefined); // listen() tells of a failure
    return own + (await group?.disconnect(selector, text) ?? 0);
  }

  /**
   * Returns whether an account may log in by the configuration that holds now.
   *
   * @throws {AuthorizerBusyError} When a source of accounts cannot be asked.
   */
  async hasAccount(name: string, signal: AbortSignal): Promise<boolean> {
    const { accounts, users, anonymous } = this.#plan.configuration;
    const isInFile = users.some((user) => user.name === name && user.enabled) ||
      (namesAnonymous(name) && anonymous !== undefined);
    if (isInFile && accounts.some(({ type }) => type === "file")) return true;
    return await this.#options.accounts?.knows(name, { signal }) ?? false;
  }

  /** Resolves when every event loop has stopped; rejects when one of the others has failed. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /**
   * Starts to serve: the main event loop first, the others on the ports that it got.
   *
   * @throws As `FtpServer.listen()`.
   */
  async listen(): Promise<void> {
    await this.#server.listen();
    await this.#files.sweep();
    this.#server.finished.then(() => this.#endOfMain()).catch((error) => this.#finished.reject(error));
    const group = this.#loaded;
    if (group === undefined || this.#shutdown !== undefined) return;
    this.#loaded = undefined;
    this.#group = group.start(this.#planOfOthers(this.#plan)).then(() => group);
    await this.#orAlone(async () => {
      await this.#group;
      group.failed.catch((error) => this.#finished.reject(error));
    });
  }

  /**
   * Uses another configuration in all event loops, or in none. See `FtpServer.reconfigure`.
   *
   * @throws As `FtpServer.reconfigure`, and when an event loop does not answer; nothing has changed then.
   */
  async reconfigure(plan: ServerPlan): Promise<void> {
    await this.#change(async () => {
      const next = this.#withCertificateInUse(plan);
      await this.#files.prepare(next);
      return { serverOptions: this.#optionsOf(next), plan: next, forOthers: { plan: this.#planOfOthers(next) } };
    });
  }

  /**
   * Uses another certificate in all event loops, or in none, and leaves all else: users keep their remembered logins.
   *
   * @throws {TypeError} When the pair cannot be used, and when an event loop does not answer; nothing has changed then.
   */
  async replaceCertificate(pair: CertificatePair): Promise<void> {
    await this.#change(() => ({
      serverOptions: withPem(this.#serverOptions, { pair }),
      plan: { ...this.#plan, files: { ...this.#plan.files, certificate: pair } },
      forOthers: { pair },
    }));
  }

  /**
   * Uses other revocation lists in the same way, and ends the sessions of those who are on them.
   *
   * @param crl Lists in PEM.
   * @throws {TypeError} When they cannot be used, and when an event loop does not answer; nothing has changed then.
   */
  async replaceRevocationLists(crl: string): Promise<void> {
    await this.#change(() => ({
      serverOptions: withPem(this.#serverOptions, { crl }),
      plan: { ...this.#plan, files: { ...this.#plan.files, clientCrl: crl } },
      forOthers: { crl },
    }));
  }

  async #replacePassword(replacement: PasswordReplacement): Promise<void> {
    const { name, source } = replacement;
    if (this.#plan.configuration.accounts[source]?.type === "file") await this.#replaceInFile(replacement);
    else if (await this.#options.accounts?.changePassword(replacement) !== true) {
      throw new Error(`The account ${JSON.stringify(name)} is not what it was`);
    }
    this.#codes.forget(name);
    this.#options.onPasswordChanged?.(name);
  }

  /** Writes it, and uses it without another look at the file: what else was changed there waits for a reload. */
  async #replaceInFile({ name, from, hash }: PasswordReplacement): Promise<void> {
    const { configurationFile } = this.#options;
    if (configurationFile === undefined) throw new Error("The configuration is in no file");
    // Loaded when needed, with what reads YAML.
    const { writePassword } = await import("./password_file.ts");
    const day = new Date().toISOString().slice(0, 10);
    await this.#change(async () => {
      await writePassword(configurationFile, { name, from, hash }, day);
      const { configuration, files } = this.#plan;
      const changed = { password: hash, passwordChanged: new Date(`${day}T00:00Z`) };
      const users = configuration.users.map((user) => user.name === name ? { ...user, ...changed } : user);
      const plan = { configuration: { ...configuration, users }, files };
      await this.#files.prepare(plan);
      return { serverOptions: this.#optionsOf(plan), plan, forOthers: { plan: this.#planOfOthers(plan) } };
    });
  }

  /** Makes a change: one after the other, ready everywhere before it holds anywhere. */
  async #change(describe: () => MaybePromise<Change>): Promise<void> {
    const change = this.#changing.then(async () => {
      const { serverOptions, plan, forOthers } = await describe();
      const use = await this.#server.prepare(serverOptions);
      const group = await this.#group?.catch(() => undefined); // listen() tells of a failure
      const useInOthers = await group?.prepare(forOthers);
      use();
      this.#use(serverOptions, plan);
      await useInOthers?.();
      // Not after another certificate: the stores that were prepared last may be those of a reload that was refused
      if ("plan" in forOthers) {
        this.#codes.forgetAll();
        await this.#files.sweep();
      }
    });
    this.#changing = change.catch(() => {}); // reported to the caller
    await change;
  }

  /** The configuration in use, and what its files hold. */
  get plan(): ServerPlan {
    return this.#plan;
  }

  /** Bans, as an operator sees them. */
  get bans(): Bans {
    const { state } = this.#server;
    const bans = this.#engine.cluster?.bans ?? (state instanceof MemoryState ? state.bans : undefined);
    if (bans === undefined) throw new TypeError("Cannot tell who is banned: the state is a program's own");
    return bans;
  }

  /** What is stored under each quota. */
  get quotas(): QuotaCounts {
    return this.#engine.quotas;
  }

  /** The nodes that share a state; absent: this server is alone. */
  get cluster(): PostgresEngine | undefined {
    return this.#engine.cluster;
  }

  /** Whether clients should be sent here. */
  get readiness(): Readiness {
    if (this.#shutdown !== undefined) return { isReady: false, reason: "stopping" };
    if (this.addresses.length === 0) return { isReady: false, reason: "starting" };
    if (this.#engine.cluster?.isHeld === false) return { isReady: false, reason: "the state is out of reach" };
    return { isReady: true, reason: "" };
  }

  /** What the configuration in use gives clients for the end. */
  get shutdownTimes(): Required<ShutdownOptions> {
    const { drain, grace } = this.#plan.configuration.shutdown;
    return { drainMs: drain * 1000, graceMs: grace * 1000 };
  }

  /** See `FtpServer.shutdown`. */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    this.#loaded?.terminate();
    const others = this.#group?.then((group) => group.shutdown(options), () => {}); // as above
    this.#shutdown = Promise.all([this.#server.shutdown(options), others])
      .finally(() => this.#files[Symbol.asyncDispose]()).then(() => {});
    await this.#shutdown;
  }

  /** Takes a step of the start of the others; where it fails, the main event loop goes on alone, if it may. */
  async #orAlone(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (cause) {
      // Clients of the main event loop may have taken all descriptors, which must not end it.
      const isCrowded = cause instanceof WorkerError && cause.lacksDescriptors;
      if (!this.#options.mayServeAlone && !isCrowded) throw cause;
      if (cause instanceof WorkerError && cause.leavesCounts) throw cause;
      this.#workers = 1;
      const message = `Only one event loop serves. ${cause instanceof Error ? cause.message : cause}`;
      this.#options.onEvent({ event: "internalError", time: new Date(), message, cause });
    }
  }

  async #loadGroup(): Promise<void> {
    this.#loaded = await WorkerGroup.load({
      count: this.#options.workers - 1,
      program: this.#options.workerProgram ?? WORKER_PROGRAM,
      dialogue: this.#options.dialogue,
      changeTimeoutMs: this.#options.changeTimeoutMs,
      memory: this.#sharedMemory(),
      instruments: this.#options.measured?.others,
      traced: this.#options.trace !== undefined,
      ports: this.#sharedPorts(),
      events: this.#options.events,
      onEvent: this.#options.onEvent,
    });
  }

  #sharedMemory(): SharedMemory {
    const { state } = this.#server;
    return {
      ...state instanceof MemoryState && { state: state.table.memory },
      claims: this.#claims.memory,
      ...this.#engine.cluster && { term: this.#engine.cluster.termCell },
      quotas: this.#engine.quotaTable.memory,
      keepsQuotas: this.#engine.quotaStore !== undefined,
      keepsEvents: this.#options.keeper !== undefined,
      keepsPasswordsOfFile: this.#options.configurationFile !== undefined,
    };
  }

  #sharedPorts(): PortOwner {
    const { state } = this.#server;
    const ports = new PortOwner();
    if (state instanceof MemoryState) ports.share("attempts", state, SHARED_ATTEMPTS);
    else ports.share("state", state, SHARED_STATE);
    ports.share("codes", this.#codes, SHARED_CODE_REGISTER);
    ports.share("passwords", this.#passwords, SHARED_PASSWORD_STORE);
    ports.share("workPlaces", this.#workPlaces, SHARED_WORK_PLACES);
    if (this.#engine.cluster !== undefined) {
      ports.share("termClaims", this.#engine.cluster.claims, SHARED_TERM_CLAIMS);
      ports.share("quotaAllowances", this.#engine.cluster.quotas, SHARED_QUOTA_ALLOWANCES);
    }
    if (this.#options.keeper !== undefined) ports.share("eventKeeper", this.#options.keeper, SHARED_EVENT_KEEPER);
    if (this.#options.accounts !== undefined) {
      ports.share<AccountEntries>("accountEntries", this.#options.accounts, SHARED_ACCOUNT_ENTRIES);
    }
    ports.share("records", this.#engine.records, SHARED_RECORDS);
    if (this.#engine.quotaStore !== undefined) {
      ports.share("quotaStore", this.#engine.quotaStore, SHARED_QUOTA_STORE);
    }
    return ports;
  }

  async #endOfMain(): Promise<void> {
    await this.#shutdown;
    if (this.#stopped !== undefined) this.#options.onEvent(this.#stopped);
    this.#finished.resolve();
  }

  #use(serverOptions: FtpServerOptions, plan: ServerPlan): void {
    this.#serverOptions = serverOptions;
    this.#plan = plan;
    this.#engine.cluster?.state.configure(plan.configuration);
    this.#options.onChanged?.();
  }

  /** A certificate that was made in memory stays when the configuration is read again. */
  #withCertificateInUse({ configuration, files }: ServerPlan): ServerPlan {
    const { certificate } = this.#plan.files;
    return { configuration, files: certificate === undefined ? files : { certificate, ...files } };
  }

  /** The plan with the ports that the main event loop listens on. */
  #planOfOthers({ configuration, files }: ServerPlan): ServerPlan {
    const listen = this.addresses.map(({ host, port, tls }, index) => ({
      ...configuration.listen[index], // in the same order, where it is that of the start
      host,
      port,
      tls: tls === "off" ? "explicit" as const : tls,
    }));
    return { files, configuration: { ...configuration, listen } };
  }

  #optionsOf({ configuration, files }: ServerPlan): FtpServerOptions {
    return toServerOptions(configuration, files, new Date(), {
      openHome: this.#files.openHome,
      workPlaces: this.#workPlaces,
      codes: this.#codes,
      passwords: this.#passwords,
      keepsPasswordsOfFile: this.#options.configurationFile !== undefined,
      services: this.#files.services,
      entries: this.#options.accounts,
      onAccountProblem: (account, reason) => this.#options.onEvent(accountProblem(account, reason)),
    });
  }

  #tell(event: ServerEvent): void {
    if (event.event === "stopped") this.#stopped = event;
    else this.#options.onEvent(event);
  }
}
