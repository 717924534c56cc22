/**
 * The server: listeners, sessions, start and stop.
 *
 * @module
 */

import type { Authorizer } from "../accounts/authorizer.ts";
import type { CommandTable } from "../commands/command_table.ts";
import type { Service } from "../control/session_state.ts";
import type { OffenderStore } from "../state/offenders.ts";
import type { SharedState } from "../state/state.ts";
import { PortPool } from "../data/port_pool.ts";
import { Watchdog } from "../deadline.ts";
import type { EventKeeper } from "../event_keeper.ts";
import type { ServerEventName, ServerEventOf, ServerEvents } from "../events.ts";
import { createDigest } from "../filesystem/node_digest.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import { formatReply, reply } from "../protocol/reply.ts";
import { loadEncoding, type TextEncoding, UTF8 } from "../protocol/text_encoding.ts";
import type { Meter } from "../meter.ts";
import { newSessionPrefix } from "../session/session_id.ts";
import type { SessionInfo } from "../session/session.ts";
import { isSelected, type SessionSelector } from "../state/session_selector.ts";
import type { Settings } from "../settings/settings.ts";
import { AnnouncedAddress } from "../transport/announced_address.ts";
import { inCurrentScope, runInScope } from "../transport/error_scope.ts";
import { listenControl } from "../transport/node_control.ts";
import type { PortSharing } from "../transport/node_socket.ts";
import type { CertificateInfo, TlsContext } from "../transport/tls_context.ts";
import { checkOptions, type FtpServerOptions, withFixedSettings } from "./options.ts";
import { EventHub, type EventStreamOptions } from "./event_hub.ts";
import { guardState, reportSparingly } from "../state/guarded_state.ts";
import { MemoryState } from "../state/memory_state.ts";
import { Acceptor, type Listening, type ListeningAddress, type RefuseConnection } from "./acceptor.ts";
import { ClientRoutes } from "./client_routes.ts";
import { createTls, tlsReplacement, tryOtherPair } from "./server_tls.ts";
import { describeThrown } from "../thrown.ts";
import type { Trace } from "../tracing.ts";

/** What {@linkcode FtpServer.shutdown} waits for. */
export interface ShutdownOptions {
  /**
   * How long running transfers may go on, in milliseconds; then they are cut.
   *
   * @default {0}
   */
  readonly graceMs?: number;
  /**
   * How long before that balancers that look whether somebody is here (`proxyProtocol`) are told 421 in place of 220, in
   * milliseconds, so that they send nobody any more. Who comes meanwhile is served.
   *
   * @default {0}
   */
  readonly drainMs?: number;
}

/** What several servers of one process share. */
export interface FtpServerParts {
  /** What is counted over all of them; absent: the server's own. */
  readonly state?: SharedState;
  /** Keeps failed logins and bans of the server's own state beyond the process; absent: nobody does. */
  readonly offenders?: OffenderStore | undefined;
  /** Takes measurements; absent: nobody does. */
  readonly meter?: Meter | undefined;
  /** Does work in spans; absent: nobody follows them. */
  readonly trace?: Trace | undefined;
  /** Keeps what files have been moved before clients hear of it; absent: nobody does. */
  readonly keeper?: EventKeeper | undefined;
  /** Beginning of the ids of its sessions, which nobody else has. */
  readonly idPrefix?: string;
  /** How they share their ports; absent: not at all. */
  readonly sharing?: PortSharing;
  /** How many there are. @default {1} */
  readonly eventLoops?: number;
  /** Whether logins may succeed now, which balancers are told. Must not throw. @default {always} */
  readonly isAvailable?: () => boolean;
}

/**
 * An FTPS server. It owns its listeners and sessions from `listen()` to the end of `shutdown()`; disposing of it shuts it
 * down at once.
 *
 * @example Two accounts on one server
 * ```ts
 * import { FtpServer, MemoryFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const home = new MemoryFileSystem();
 * const authorizer = new VirtualAuthorizer();
 * authorizer.addUser("user", "12345", home, { permissions: "elradfmwMT" });
 * authorizer.addAnonymous(home);
 *
 * await using server = new FtpServer({
 *   authorizer,
 *   listen: [{ port: 0 }, { port: 0, tls: "implicit" }],
 *   onEvent: (event) => console.log(event.event),
 * });
 * await server.listen();
 * console.log(server.addresses, server.certificate?.fingerprint);
 * ```
 */
export class FtpServer implements AsyncDisposable {
  /** Those of the constructor. */
  readonly #options: Pick<FtpServerOptions, "dialogue" | "signal">;
  readonly #state: SharedState;
  /** Obeys the options, unlike the state of another. */
  readonly #ownState: MemoryState | undefined;
  readonly #meter: Meter | undefined;
  readonly #trace: Trace | undefined;
  readonly #keeper: EventKeeper | undefined;
  readonly #idPrefix: string;
  readonly #sharing: PortSharing | undefined;
  readonly #eventLoops: number;
  readonly #isAvailable: () => boolean;
  readonly #events: EventHub;
  readonly #finished = Promise.withResolvers<void>();
  #authorizer: Authorizer;
  #settings: Settings;
  #commands: CommandTable;
  #refuseConnection: RefuseConnection | undefined;
  #started: Promise<void> | undefined;
  /** The last call of `reconfigure()`. Never rejects. */
  #reconfiguring: Promise<void> = Promise.resolve();
  #shutdown: Promise<void> | undefined;
  /** Set from the first call of `shutdown()` on; resolves when balancers have had their time. */
  #drained: PromiseWithResolvers<void> | undefined;
  #addresses: readonly ListeningAddress[] = [];
  #acceptor: Acceptor | undefined;
  #tls: TlsContext | undefined;
  #routes: ClientRoutes | undefined;
  readonly #announced = new AnnouncedAddress({
    onChange: (name, address) => this.#emit("addressResolved", { name, address }),
    onFailure: (name, reason, kept) => this.#emit("addressUnresolved", { name, reason, kept }),
  });
  #ports: PortPool | undefined;
  #encoding: TextEncoding = UTF8;

  /**
   * Checks the options; nothing is opened yet.
   *
   * @throws {RangeError} When a value is out of its range, or a change of the commands cannot be made.
   * @throws {TypeError} When two options contradict each other, or the certificate, the key or the CA cannot be used.
   * @throws {InsecureConfigurationError} When an option is a risk that `acceptRisks` does not name.
   */
  constructor(options: FtpServerOptions, parts: FtpServerParts = {}) {
    const { settings, commands } = checkOptions(options);
    this.#options = options;
    this.#authorizer = options.authorizer;
    this.#settings = settings;
    this.#commands = commands;
    this.#refuseConnection = options.refuseConnection;
    this.#events = new EventHub(options);
    const reportStateFailure = reportSparingly((message, cause) => this.#emit("internalError", { message, cause }));
    this.#state = parts.state ??
      (this.#ownState = new MemoryState(settings, {
        offenders: parts.offenders,
        onStoreFailure: (cause) => reportStateFailure("keepAttempts", cause),
      }));
    this.#meter = parts.meter;
    this.#trace = parts.trace;
    this.#keeper = parts.keeper;
    this.#sharing = parts.sharing;
    this.#eventLoops = parts.eventLoops ?? 1;
    this.#isAvailable = parts.isAvailable ?? (() => true);
    this.#idPrefix = parts.idPrefix ?? newSessionPrefix();
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Where the server listens; empty before `listen()`. */
  get addresses(): readonly ListeningAddress[] {
    return this.#addresses;
  }

  /** Who is connected, and what is being transferred, in this moment. */
  get sessions(): readonly SessionInfo[] {
    return this.#acceptor?.sessions ?? [];
  }

  /** What this server counts; others of the process can count with it. */
  get state(): SharedState {
    return this.#state;
  }

  /** The certificate in use; `undefined` before `listen()` and without TLS. */
  get certificate(): CertificateInfo | undefined {
    return this.#tls?.info;
  }

  /**
   * What happens from now on, one event after the other; the stream ends when the server has stopped. Reading to the end, or
   * leaving the loop, gives it back. A reader that is slow never holds the server up: see `capacity`.
   *
   * @example Act on each file that has arrived, one at a time
   * ```ts
   * import { FtpServer, MemoryFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";
   *
   * const authorizer = new VirtualAuthorizer();
   * authorizer.addUser("scanner", "12345", new MemoryFileSystem(), { permissions: "elw" });
   * await using server = new FtpServer({ authorizer, listen: [{ port: 0 }] });
   * await server.listen();
   *
   * async function print(): Promise<void> {
   *   for await (const event of server.events({ only: ["fileReceived"] })) {
   *     if (event.event === "fileReceived") console.log(event.username, event.path);
   *   }
   * }
   * const printing = print();
   * await server.shutdown();
   * await printing;
   * ```
   * @throws {RangeError} When the capacity is no whole number above 0.
   */
  events<Name extends ServerEventName = ServerEventName>(
    options: EventStreamOptions<Name> = {},
  ): ReadableStream<ServerEventOf<Name | "eventsMissed">> {
    return this.#events.stream(options);
  }

  /**
   * Ends a session: what it does is cut, and the client gets 421 with the text.
   *
   * @returns Whether there was such a session.
   */
  disconnect(session: string, text = "Disconnected by the server."): boolean {
    return this.#acceptor?.disconnect(session, text) ?? false;
  }

  /**
   * Ends all sessions that are meant, as {@linkcode FtpServer.disconnect} does.
   *
   * @returns How many.
   */
  disconnectSelected(selector: SessionSelector, text?: string): number {
    const meant = this.sessions.filter((session) => isSelected(selector, session));
    return meant.filter(({ session }) => this.disconnect(session, text)).length;
  }

  /** Resolves when the server has stopped, everything is released, and handlers have ended, for which it waits 5 s at most. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /**
   * Starts to listen and to serve.
   *
   * @throws {ConnectionError} Kind `"addressInUse"` when a port is taken.
   * @throws The reason of `signal` when it has aborted before.
   * @throws {TypeError} When the certificate and key cannot be used, or the server was started before.
   * @throws {RangeError} When the encoding cannot be used.
   * @throws {Deno.errors.NotCapable} When `--allow-net` does not cover an address.
   */
  async listen(): Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted) {
      await this.shutdown();
      signal.throwIfAborted();
    }
    if (this.#started !== undefined || this.#shutdown !== undefined) {
      throw new TypeError("Cannot listen: the server was started before");
    }
    // Errors of no session, nor of a client before its session, end nothing.
    this.#started = runInScope({ fail: (error) => this.#emitUncaught(error) }, () => this.#start());
    await this.#started;
  }

  /**
   * Uses other options from now on, without dropping a session: authorizer, certificate, ban and limits hold for what comes
   * next, the rest for sessions that begin then. What was opened or decided at the start stays as it is: `listen`,
   * `encoding`, `passive.ports`, the versions of TLS, `refuseConnection`, and whether there is TLS: where `tls.policy` goes
   * from or to `off`, all of `tls` stays. A certificate that is not given again stays, too. Before `listen()` everything is
   * taken. `onEvent`, `on`, `dialogue` and `signal` are always those of the constructor. One call follows the other.
   *
   * @throws {RangeError} As the constructor; nothing has changed then.
   * @throws {InsecureConfigurationError} As the constructor; nothing has changed then.
   * @throws {TypeError} As the constructor, or when no TLS handshake comes about with the certificate; nothing has changed then.
   */
  async reconfigure(options: FtpServerOptions): Promise<void> {
    const change = this.#reconfiguring.then(async () => (await this.prepare(options))());
    this.#reconfiguring = change.catch(() => {}); // reported to the caller
    await change;
  }

  /**
   * Checks other options, and makes what they need: a new certificate makes a handshake with itself in memory. While
   * `listen()` is under way, it waits for that. Nothing changes until the function that comes back is called, which cannot
   * fail; so several servers can change together, or none. Between the two calls no other change may be made.
   *
   * @throws {RangeError | InsecureConfigurationError | TypeError} As {@linkcode FtpServer.reconfigure}.
   */
  async prepare(options: FtpServerOptions): Promise<() => void> {
    const { settings: next, commands } = checkOptions(options);
    await tryOtherPair(next, this.#settings);
    await this.#started?.catch(() => {}); // listen() tells its caller
    const isStarted = this.#started !== undefined;
    const settings = isStarted ? withFixedSettings(this.#settings, next) : next;
    const replaceAddress = await this.#announced.prepare(settings.passive.address);
    const replaceTls = this.#tls?.prepare(tlsReplacement(settings));
    return () => {
      this.#authorizer = options.authorizer;
      this.#settings = settings;
      this.#commands = commands;
      if (!isStarted) this.#refuseConnection = options.refuseConnection;
      replaceAddress();
      replaceTls?.();
      this.#endRevoked();
      this.#ownState?.configure(settings);
    };
  }

  /** Ends the sessions of clients whose certificates have been revoked since they came. */
  #endRevoked(): void {
    const clients = this.#tls?.handshake.clientCertificates;
    this.#acceptor?.disconnectClients((certificate) => clients?.isRevoked(certificate) === true, REVOKED);
  }

  /**
   * Stops: balancers are told so, then no new sessions, running transfers may end within the grace time, every client gets 421.
   * May be called again, with a shorter time too. It does not wait for handlers of events, so that they may wait for it;
   * `finished` does.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const { graceMs = 0, drainMs = 0 } = options;
    const drained = this.#drained ??= Promise.withResolvers<void>();
    using _drain = new Watchdog(drainMs, () => drained.resolve());
    if (drainMs === 0) drained.resolve();
    this.#shutdown ??= this.#stop(drained.promise);
    const cut = () => this.#acceptor?.cut();
    // Set also for no time at all: the sessions have to begin to stop first.
    using _grace = new Watchdog(drainMs + Math.max(graceMs, 1), cut);
    await this.#shutdown;
  }

  /** Shuts down at once, and waits for `finished`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
    await this.#finished.promise;
  }

  readonly #onAbort = (): void => {
    this.shutdown().catch((error) => this.#emit("internalError", { message: describeThrown(error), cause: error }));
  };

  #emitUncaught(cause: unknown): void {
    this.#emit("internalError", { message: describeThrown(cause), cause, uncaught: true });
  }

  async #start(): Promise<void> {
    const { listen, encoding } = this.#settings;
    this.#encoding = await loadEncoding(encoding);
    this.#tls = await createTls(this.#settings);
    const routes = this.#routes = new ClientRoutes(this.#tls, {
      timeoutMs: () => (this.#settings.timeouts.handshake || MAX_HEADER_SECONDS) * 1000,
      onRefused: (remote, reason) => {
        this.#emit("connectionRefused", { remote: formatSocketAddress(remote), reason });
      },
    });
    (await this.#announced.prepare(this.#settings.passive.address))();
    this.#ports = new PortPool(this.#settings.passive.ports, {
      sharers: this.#eventLoops,
      inScope: inCurrentScope(),
    });
    await using opened = new AsyncDisposableStack();
    const listening: Listening[] = [];
    for (const address of listen) {
      const entry = await this.#open(address, routes);
      opened.defer(() => entry.listener.close());
      listening.push(entry);
    }
    opened.move();
    this.#addresses = listening.map(({ address }) => address);
    const service = this.#service(this.#ports, routes);
    this.#acceptor = new Acceptor(listening, {
      service,
      idPrefix: this.#idPrefix,
      refuseConnection: this.#refuseConnection,
    });
    for (const address of this.#addresses) this.#emit("listening", address);
  }

  async #open(
    { host, port, tls, proxyProtocol }: Settings["listen"][number],
    routes: ClientRoutes,
  ): Promise<Listening> {
    const { proxyGate, dataTransports } = routes.routeOf(proxyProtocol);
    const listener = await listenControl({ host, port }, {
      proxyGate,
      ...tls === "explicit" && { checkReply: () => this.#checkReply() },
      ...this.#sharing && { sharing: this.#sharing },
      ...this.#tls && { context: this.#tls },
    });
    return { listener, dataTransports, address: { ...listener.address, tls: this.#tls === undefined ? "off" : tls } };
  }

  #checkReply(): string {
    if (this.#drained !== undefined) return DRAIN_REPLY;
    return this.#isAvailable() ? CHECK_REPLY : UNAVAILABLE_REPLY;
  }

  #service(ports: PortPool, routes: ClientRoutes): Service {
    const announced = this.#announced;
    const settings = () => this.#settings;
    const authorizer = () => this.#authorizer;
    const commands = () => this.#commands;
    const meter = this.#meter;
    const wantsCommands = () => meter !== undefined || this.#events.isAskedFor("commandDone");
    return {
      get settings() {
        return settings();
      },
      get authorizer() {
        return authorizer();
      },
      get commands() {
        return commands();
      },
      state: guardState(this.#state, {
        report: reportSparingly((message, cause) => this.#emit("internalError", { message, cause })),
        trace: this.#trace,
        onCall: meter && ((call, outcome) => meter.called("state", call, outcome)),
      }),
      dataTransports: routes.direct.dataTransports,
      get passiveAddress() {
        return announced.current;
      },
      ports,
      encoding: this.#encoding,
      createDigest,
      wantsDialogue: this.#options.dialogue ?? false,
      get wantsCommands() {
        return wantsCommands();
      },
      trace: this.#trace,
      keeper: this.#keeper,
      onMoved: meter && ((direction, bytes) => meter.moved(direction, bytes)),
      emit: (event, fields) => this.#emit(event, fields),
    };
  }

  async #stop(drained: Promise<void>): Promise<void> {
    await this.#started?.catch(() => {}); // listen() tells its caller
    if (this.#acceptor !== undefined) await drained;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    await this.#acceptor?.stop();
    this.#ports?.[Symbol.dispose]();
    this.#announced[Symbol.dispose]();
    await this.#routes?.[Symbol.asyncDispose]();
    this.#emit("stopped", {});
    this.#events.close();
    this.#finished.resolve(this.#events.handled(HANDLER_TIMEOUT_MS));
  }

  #emit<Name extends ServerEventName>(event: Name, fields: ServerEvents[Name]): void {
    this.#meter?.event(event, fields);
    this.#events.emit(event, fields);
  }
}

/** How long a balancer may take for its PROXY header where there is no limit for the handshake. */
const MAX_HEADER_SECONDS = 5;

/** What clients are told whose certificates were revoked. */
const REVOKED = "Certificate revoked.";

/** What a balancer gets that only looks whether somebody is here: enough to see that this event loop is awake. */
const CHECK_REPLY = formatReply(reply(220, "ftpsd is here."));
/** The same once the server is to stop. */
const DRAIN_REPLY = formatReply(reply(421, "Service is stopping."));
/** The same while nobody could log in. */
const UNAVAILABLE_REPLY = formatReply(reply(421, "Service not available, try again later."));

/** How long a stopped server waits for handlers. */
const HANDLER_TIMEOUT_MS = 5_000;
