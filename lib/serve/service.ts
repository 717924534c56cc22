/**
 * A configured server with all that it takes to serve on: event loops, reloads, the watch of its certificate, and the log of
 * its transfers.
 *
 * @module
 */

import type { Totals } from "../admin/gauges.ts";
import type { AcmeSettings } from "../check/acme_files.ts";
import { mayReadProgram } from "../check/permissions.ts";
import type { EventListener, ServerEventName } from "../events.ts";
import type { ShutdownOptions } from "../server/ftp_server.ts";
import { describeThrown } from "../thrown.ts";
import type { SessionInfo } from "../session/session.ts";
import type { SessionSelector } from "../state/session_selector.ts";
import { ConfigurationError, formatFinding } from "../settings/finding.ts";
import { withCertificate } from "../server/configured_options.ts";
import type { SocketAddress } from "../transport/connection.ts";
import type { Configuration } from "../settings/table.ts";
import { ExpiryNotice } from "./certificate_watcher.ts";
import { ConfiguredServer } from "./configured_server.ts";
import { AccountSources } from "./account_sources.ts";
import { NodeOrders } from "./node_orders.ts";
import { type Reading, Reloader, type ReloaderOptions } from "./reloader.ts";
import { UnusableConfigurationError } from "./serve_settings.ts";
import { EVENTS_FOR_HOOKS, openHooks, type ServedHooks } from "./served_hooks.ts";
import type { ServerPlan } from "./worker_messages.ts";
import type { ServedCertificate, ServedCertificateOptions } from "./served_certificate.ts";
import { joinCluster, openStateEngine, withCluster } from "./state_engine.ts";
import { type Observation, type ObservationListeners, observe } from "./observation.ts";
import { openTransferLog, TRANSFER_LOG_EVENTS } from "./transfer_log.ts";

/** What a {@linkcode Service} works with. */
export interface ServiceOptions extends Omit<ReloaderOptions, "server" | "onApplied"> {
  /** Told of what happens in all event loops. */
  readonly onEvent: EventListener;
  /** Which of that it needs; it may be told of others. Absent: all. */
  readonly events?: readonly ServerEventName[] | undefined;
  /** Whether `dialogue` events are made. */
  readonly dialogue: boolean;
  /** The file of the configuration, where there is one. */
  readonly configurationFile?: string | undefined;
  /** Milliseconds between two notices that the certificate will expire; absent: a day. */
  readonly noticeIntervalMs?: number | undefined;
  /** How a certificate is ordered where the configuration wants that; absent: as usual. */
  readonly ordering?: Pick<ServedCertificateOptions, "retry" | "firstWaitMs">;
  /** Ends the wait for the first certificate. */
  readonly signal?: AbortSignal | undefined;
}

/** Serves a configuration, from {@linkcode Service.listen} to the end of {@linkcode Service.shutdown}. */
export class Service implements AsyncDisposable {
  readonly #first: Reading;
  /** What the server uses now. */
  #applied: ServerPlan;
  readonly #options: ServiceOptions;
  readonly #server: ConfiguredServer;
  readonly #reloader: Reloader;
  readonly #observation: Observation | undefined;
  readonly #hooks: ServedHooks | undefined;
  readonly #ordered: ServedCertificate | undefined;
  #listeners: ObservationListeners | undefined;
  /** What outlives the server: the log of transfers and the state. */
  readonly #opened: AsyncDisposableStack;
  #notice: ExpiryNotice | undefined;
  #finished: Promise<void> | undefined;

  private constructor(
    first: Reading,
    options: ServiceOptions,
    made: {
      readonly server: ConfiguredServer;
      readonly observation: Observation | undefined;
      readonly hooks: ServedHooks | undefined;
      readonly ordered: ServedCertificate | undefined;
      readonly orders: NodeOrders;
      readonly opened: AsyncDisposableStack;
    },
  ) {
    this.#first = first;
    this.#applied = first.plan;
    this.#options = options;
    this.#server = made.server;
    this.#observation = made.observation;
    this.#hooks = made.hooks;
    this.#ordered = made.ordered;
    this.#opened = made.opened;
    this.#reloader = new Reloader({
      ...options,
      server: made.server,
      onApplied: async (plan) => {
        this.#ordered?.retry();
        made.orders.configurationChanged(this.#applied.configuration, plan.configuration);
        this.#applied = plan;
        await this.#useHooks(plan);
      },
    });
  }

  /**
   * Makes it; nothing is served yet.
   *
   * @param first What was read for the start.
   * @throws {UnusableConfigurationError} When that has obstacles.
   * @throws {StartError} When the log of transfers or the state cannot be opened.
   * @throws As the constructor of `FtpServer`.
   */
  static async create(first: Reading, options: ServiceOptions): Promise<Service> {
    const { plan: given, obstacles } = first;
    if (obstacles.length > 0) throw new UnusableConfigurationError(obstacles);
    const { log, state, tls: { acme } } = given.configuration;
    await using opened = new AsyncDisposableStack();
    const transferLog = opened.use(await openTransferLog(log.transfers, options.log));
    const own = opened.use(await openStateEngine(state));
    const orders = opened.use(new NodeOrders({ log: options.log }));
    const told: { certificate?: ServedCertificate } = {};
    const cluster = opened.use(
      await joinCluster(given, (cause) => {
        options.log("error", `The database of the state is out of reach: ${describeThrown(cause)}`);
      }, {
        onEvent: (event) => {
          orders.take(event);
          if (event.kind === "certificate") told.certificate?.hear(event.subject);
        },
        onReconnected: () => orders.accountsMissed(),
      }),
    );
    const accounts = opened.use(
      await AccountSources.open(given, {
        cluster,
        onAccount: (name) => orders.accountChanged(name),
        onReconnected: () => orders.accountsMissed(),
        onFailure: (message) => options.log("error", message),
      }),
    );
    const workers = countWorkers(given.configuration, {
      processors: navigator.hardwareConcurrency,
      mayReadProgram: await mayReadProgram(),
      dealsConnections: Deno.build.os === "linux", // Windows lets no two event loops have one port
    });
    const observation = await observe(given.configuration, { workers, onEvent: options.onEvent });
    const onEvent: EventListener = (event) => {
      options.onEvent(event);
      observation?.meter.event(event.event, event);
      observation?.take(event);
    };
    const ordered = acme && opened.use(await openCertificate(acme, given, { ...options, cluster, onEvent }));
    if (ordered !== undefined) told.certificate = ordered;
    const plan = ordered === undefined ? given : await withFirst(given, ordered, options.signal);
    const engine = cluster === undefined ? own : withCluster(own, cluster);
    const observed: { changed?: () => void } = {};
    const meter = observation?.meter;
    const hooks = opened.use(await openHooks(plan, { log: options.log, meter }));
    const server = await ConfiguredServer.create(plan, {
      workers,
      mayServeAlone: plan.configuration.workers === "auto",
      onChanged: () => observed.changed?.(),
      trace: observation?.trace,
      measured: observation && { meter: observation.meter, others: observation.instruments.memories.slice(1) },
      onEvent: (event) => {
        options.onEvent(event);
        transferLog?.event(event);
        observation?.take(event);
        hooks?.hooks.event(event);
      },
      keeper: hooks?.hooks,
      events: options.events && [
        ...options.events,
        ...transferLog === undefined ? [] : TRANSFER_LOG_EVENTS,
        ...observation?.events ?? [],
        ...hooks === undefined ? [] : EVENTS_FOR_HOOKS,
      ],
      dialogue: options.dialogue,
      configurationFile: options.configurationFile,
      onPasswordChanged: (name) => options.log("info", `USER '${name}' has changed the own password.`),
      engine,
      accounts,
    });
    orders.attach(server);
    ordered?.attach(server);
    const made = { server, observation, hooks, ordered, orders };
    const service = new Service({ ...first, plan }, options, { ...made, opened: opened.move() });
    observed.changed = () => service.#renewCertificate();
    return service;
  }

  /** How many event loops serve. */
  get workers(): number {
    return this.#server.workers;
  }

  /** See `FtpServer.addresses`. */
  get addresses(): ConfiguredServer["addresses"] {
    return this.#server.addresses;
  }

  /** Where metrics are to be had; `undefined` before {@linkcode Service.listen}, and where they are not. */
  get metrics(): SocketAddress | undefined {
    return this.#listeners?.metrics;
  }

  /** The same of the admin listener, also where it is a Unix socket. */
  get admin(): SocketAddress | undefined {
    return this.#listeners?.admin;
  }

  /** See `FtpServer.certificate`. */
  get certificate(): ConfiguredServer["certificate"] {
    return this.#server.certificate;
  }

  /** Resolves when it has stopped and everything is released; rejects when an event loop has failed, and never before `listen()`. */
  get finished(): Promise<void> {
    return this.#finished ?? this.#server.finished;
  }

  /** Who is connected, in all event loops. */
  sessions(): Promise<readonly SessionInfo[]> {
    return this.#server.sessions();
  }

  /** See {@linkcode ConfiguredServer.disconnect}. */
  disconnect(selector: SessionSelector, text?: string): Promise<number> {
    return this.#server.disconnect(selector, text);
  }

  /**
   * Starts to serve.
   *
   * @param onListening Called as soon as it listens, before the findings about the configuration are logged.
   * @throws As `FtpServer.listen()`.
   */
  async listen(onListening: () => void = () => {}): Promise<void> {
    await this.#observe();
    await this.#server.listen();
    this.#finished = this.#server.finished.finally(() => this.#release());
    this.#finished.catch(() => {}); // reported where it is awaited
    await this.#useHooks(this.#first.plan);
    onListening();
    const { log, noticeIntervalMs } = this.#options;
    this.#reloader.start(this.#first);
    this.#notice = new ExpiryNotice({
      // One that is ordered is renewed, or says each time that it could not be.
      current: () => this.#ordered === undefined ? this.#server.certificate : undefined,
      onFinding: (finding) => log("warn", formatFinding(finding)),
      ...noticeIntervalMs === undefined ? {} : { intervalMs: noticeIntervalMs },
    });
  }

  /** See {@linkcode Reloader.reload}. */
  async reload(): Promise<void> {
    await this.#reloader.reload();
  }

  /** See `ConfiguredServer.shutdownTimes`. */
  get shutdownTimes(): Required<ShutdownOptions> {
    return this.#server.shutdownTimes;
  }

  /** See `FtpServer.shutdown`. */
  shutdown(options: ShutdownOptions = {}): Promise<void> {
    return this.#server.shutdown(options);
  }

  /** Shuts down at once, and waits for everything to be released. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
    await (this.#finished ?? this.#release()).catch(() => {}); // reported by `finished`
  }

  /** What has happened since the start; `undefined` where nobody measures. */
  get totals(): Totals | undefined {
    return this.#observation?.totals();
  }

  /** Counts lines that the log had no room for. */
  countDroppedLines(count: number): void {
    this.#observation?.countDroppedLines(count);
  }

  async #useHooks(plan: ServerPlan): Promise<void> {
    await this.#hooks?.configure(plan);
  }

  async #observe(): Promise<void> {
    const observation = this.#observation;
    if (observation === undefined) return;
    const { Steering } = await import("./steering.ts");
    const { log } = this.#options;
    const server = this.#server;
    const steering = new Steering({
      server,
      instruments: observation.instruments.reader,
      ordering: () => this.#ordered?.status,
      waitingForHooks: () => this.#hooks?.hooks.waiting,
      reload: () => this.#reloadFor(log),
      drain: () => void this.shutdown(this.shutdownTimes).catch(() => {}), // `finished` tells
    });
    this.#listeners = await observation.listen(steering, () => server.plan);
    this.#opened.use(this.#listeners);
  }

  /** Says what is wrong to the log, too: who has changed the file may be somebody else. */
  async #reloadFor(log: ServiceOptions["log"]): Promise<readonly string[]> {
    try {
      return await this.#reloader.reload();
    } catch (error) {
      const reasons = reasonsOf(error);
      for (const reason of reasons) log("error", `reload failed, keeping the current configuration: ${reason}`);
      throw new UnusableConfigurationError(reasons, { cause: error });
    }
  }

  #renewCertificate(): void {
    this.#listeners?.renewCertificate().catch((cause) => {
      this.#options.log("error", `the admin listener cannot use the certificate: ${describeThrown(cause)}`);
    });
  }

  async #release(): Promise<void> {
    this.#notice?.[Symbol.dispose]();
    await this.#reloader[Symbol.asyncDispose]();
    await this.#opened.disposeAsync();
  }
}

/** Loaded when needed: most servers order no certificate. */
async function openCertificate(
  acme: AcmeSettings,
  plan: ServerPlan,
  { ordering, ...options }: Pick<ServiceOptions, "log" | "ordering"> & Omit<ServedCertificateOptions, "log">,
): Promise<ServedCertificate> {
  const { ServedCertificate } = await import("./served_certificate.ts");
  return await ServedCertificate.open(acme, plan, { ...options, ...ordering });
}

/** Everything that shows a certificate has the same one, also where it is made in memory. */
async function withFirst(
  { configuration, files }: ServerPlan,
  ordered: ServedCertificate,
  signal: AbortSignal | undefined,
): Promise<ServerPlan> {
  const certificate = await ordered.first(signal);
  signal?.throwIfAborted();
  return {
    configuration,
    files: await withCertificate(configuration, certificate ? { ...files, certificate } : files),
  };
}

/** Why a reload has failed: a line for each reason. */
export function reasonsOf(error: unknown): readonly string[] {
  if (error instanceof UnusableConfigurationError) return error.reasons;
  if (error instanceof ConfigurationError) return error.findings.map(formatFinding);
  return [error instanceof Error ? error.message : describeThrown(error)];
}

/** Most that are started without a number: what is gained by more is small, and each takes memory. */
const MAX_AUTOMATIC = 8;

/**
 * Returns the number of event loops.
 *
 * @param available.processors Processors of the host.
 * @param available.dealsConnections Whether the system deals connections to a shared port out evenly.
 * @param available.mayReadProgram Whether Deno permits to read the program, without which a worker cannot be loaded.
 */
export function countWorkers(
  { workers, tls }: Pick<Configuration, "workers" | "tls">,
  available: { readonly processors: number; readonly mayReadProgram: boolean; readonly dealsConnections: boolean },
): number {
  // A session can be resumed in its own event loop only, and the system deals a client's connections to any of them.
  if (tls.sessionReuse === "require") return 1;
  if (workers !== "auto") return workers;
  return available.mayReadProgram && available.dealsConnections ? Math.min(available.processors, MAX_AUTOMATIC) : 1;
}
