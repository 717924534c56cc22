/**
 * A configured server with all that it takes to serve on: event loops, reloads, the watch of its certificate, and the log of
 * its transfers.
 *
 * @module
 */

import type { Totals } from "../admin/gauges.ts";
import { mayReadProgram } from "../check/permissions.ts";
import type { EventListener, ServerEventName } from "../events.ts";
import type { ShutdownOptions } from "../server/ftp_server.ts";
import { describeThrown } from "../thrown.ts";
import type { SessionInfo } from "../session/session.ts";
import type { SessionSelector } from "../state/session_selector.ts";
import { ConfigurationError, formatFinding } from "../settings/finding.ts";
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
  /** Milliseconds between two notices that the certificate will expire; absent: a day. */
  readonly noticeIntervalMs?: number | undefined;
}

/** Serves a configuration, from {@linkcode Service.listen} to the end of {@linkcode Service.shutdown}. */
export class Service implements AsyncDisposable {
  readonly #first: Reading;
  readonly #options: ServiceOptions;
  readonly #server: ConfiguredServer;
  readonly #reloader: Reloader;
  readonly #observation: Observation | undefined;
  readonly #hooks: ServedHooks | undefined;
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
      readonly opened: AsyncDisposableStack;
    },
  ) {
    this.#first = first;
    this.#options = options;
    this.#server = made.server;
    this.#observation = made.observation;
    this.#hooks = made.hooks;
    this.#opened = made.opened;
    this.#reloader = new Reloader({
      ...options,
      server: made.server,
      onApplied: (plan) => this.#useHooks(plan),
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
    const { plan, obstacles } = first;
    if (obstacles.length > 0) throw new UnusableConfigurationError(obstacles);
    const { log, state } = plan.configuration;
    await using opened = new AsyncDisposableStack();
    const transferLog = opened.use(await openTransferLog(log.transfers, options.log));
    const own = opened.use(await openStateEngine(state));
    const orders = opened.use(new NodeOrders({ log: options.log }));
    const cluster = opened.use(
      await joinCluster(plan, (cause) => {
        options.log("error", `The database of the state is out of reach: ${describeThrown(cause)}`);
      }, {
        onEvent: (event) => orders.take(event),
        onReconnected: () => orders.accountsMissed(),
      }),
    );
    const accounts = opened.use(
      await AccountSources.open(plan, {
        cluster,
        onAccount: (name) => orders.accountChanged(name),
        onReconnected: () => orders.accountsMissed(),
        onFailure: (message) => options.log("error", message),
      }),
    );
    const engine = cluster === undefined ? own : withCluster(own, cluster);
    const workers = countWorkers(plan.configuration, {
      processors: navigator.hardwareConcurrency,
      mayReadProgram: await mayReadProgram(),
      dealsConnections: Deno.build.os === "linux", // Windows lets no two event loops have one port
    });
    const observation = await observe(plan.configuration, { workers, onEvent: options.onEvent });
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
      engine,
      accounts,
    });
    orders.attach(server);
    const service = new Service(first, options, { server, observation, hooks, opened: opened.move() });
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
      current: () => this.#server.certificate,
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
      waitingForHooks: () => this.#hooks?.hooks.waiting,
      reload: () => this.#reloadFor(log),
      drain: () => void this.shutdown(this.shutdownTimes).catch(() => {}), // `finished` tells
    });
    this.#listeners = await observation.listen(steering, () => server.plan.files);
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
