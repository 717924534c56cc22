/**
 * The server: listeners, sessions, start and stop.
 *
 * @module
 */

import type { Authorizer } from "../auth/authorizer.ts";
import { changedCommands } from "../commands/command_changes.ts";
import type { CommandTable } from "../commands/command_table.ts";
import type { Service } from "../control/service.ts";
import type { SharedCounts } from "../control/shared_counts.ts";
import { PortPool } from "../data/port_pool.ts";
import { Watchdog } from "../deadline.ts";
import type { ServerEventName, ServerEventOf, ServerEvents } from "../events.ts";
import { createDigest } from "../filesystem/node_digest.ts";
import { loadEncoding, type TextEncoding, UTF8 } from "../protocol/text_encoding.ts";
import type { SessionInfo } from "../session/session_info.ts";
import type { Settings } from "../session/settings.ts";
import type { CertificatePair } from "../transport/certificate_pair.ts";
import { DenoTcpTransport } from "../transport/deno_tcp.ts";
import { certificateNames, createEphemeralCertificate } from "../transport/ephemeral_certificate.ts";
import { listenControl } from "../transport/node_control.ts";
import { NodeTlsTransport } from "../transport/node_tls.ts";
import { type CertificateInfo, describeCertificate, TlsContext } from "../transport/tls_context.ts";
import { tryHandshake } from "../transport/trial_handshake.ts";
import { EventHub, type EventStreamOptions } from "./event_hub.ts";
import { LocalCounts } from "./local_counts.ts";
import type { FtpServerOptions, ListenOptions } from "./options.ts";
import { resolveSettings } from "./resolve_settings.ts";
import { type Listening, type ListeningAddress, Reception } from "./reception.ts";
import { findSettingRisks, insecure } from "./risks.ts";

/** What {@linkcode FtpServer.shutdown} waits for. */
export interface ShutdownOptions {
  /**
   * How long running transfers may go on, in milliseconds; then they are cut.
   *
   * @default {0}
   */
  readonly graceMs?: number;
}

/** What several servers of one process share. */
export interface FtpServerParts {
  /** Counts over all of them; absent: the server's own. */
  readonly counts?: SharedCounts;
  /** Beginning of the ids of its sessions, unique in the process. */
  readonly idPrefix?: string;
  /** Whether they listen on the same ports; the system spreads the clients over them. @default {false} */
  readonly sharesPorts?: boolean;
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
  /** As they were at the start. */
  readonly #options: FtpServerOptions;
  readonly #counts: SharedCounts;
  readonly #idPrefix: string;
  readonly #sharesPorts: boolean;
  readonly #events: EventHub;
  readonly #finished = Promise.withResolvers<void>();
  #authorizer: Authorizer;
  #settings: Settings;
  #commands: CommandTable;
  #started: Promise<void> | undefined;
  #shutdown: Promise<void> | undefined;
  #addresses: readonly ListeningAddress[] = [];
  #reception: Reception | undefined;
  #tls: TlsContext | undefined;
  #protectedData: NodeTlsTransport | undefined;
  #encoding: TextEncoding = UTF8;

  /**
   * Checks the options; nothing is opened yet.
   *
   * @throws {RangeError} When a number is out of its range, or a change of the commands cannot be made.
   * @throws {InsecureConfigurationError} When an option is a risk that `acceptRisks` does not name.
   */
  constructor(options: FtpServerOptions, parts: FtpServerParts = {}) {
    this.#options = options;
    this.#authorizer = options.authorizer;
    this.#settings = checkedSettings(options);
    this.#commands = changedCommands(options.commands ?? {});
    this.#events = new EventHub(options);
    this.#counts = parts.counts ?? new LocalCounts({ limits: this.#settings.limits, ban: options.ban ?? {} });
    this.#sharesPorts = parts.sharesPorts ?? false;
    this.#idPrefix = parts.idPrefix ?? crypto.randomUUID().slice(0, 4);
  }

  /** Where the server listens; empty before `listen()`. */
  get addresses(): readonly ListeningAddress[] {
    return this.#addresses;
  }

  /** Who is connected, and what is being transferred, in this moment. */
  get sessions(): readonly SessionInfo[] {
    return this.#reception?.sessions ?? [];
  }

  /** What this server counts; others of the process can count with it. */
  get counts(): SharedCounts {
    return this.#counts;
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
    return this.#reception?.disconnect(session, text) ?? false;
  }

  /** Resolves when the server has stopped and everything is released. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /**
   * Starts to listen and to serve.
   *
   * @throws {ConnectionError} Kind `"addressInUse"` when a port is taken.
   * @throws {TypeError} When the certificate and key cannot be used, or the server was started before.
   * @throws {RangeError} When the encoding cannot be used.
   * @throws {Deno.errors.NotCapable} When `--allow-net` does not cover an address.
   */
  async listen(): Promise<void> {
    if (this.#started !== undefined || this.#shutdown !== undefined) {
      throw new TypeError("Cannot listen: the server was started before");
    }
    this.#options.signal?.throwIfAborted();
    this.#started = this.#start();
    await this.#started;
    const { signal } = this.#options;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (signal?.aborted) this.#onAbort();
  }

  /**
   * Uses other options from now on, without dropping a session: authorizer, certificate, ban and limits hold for what comes
   * next, the rest for sessions that begin then. What was opened or decided at the start stays as it is: `listen`,
   * `encoding`, `passive.ports`, whether there is TLS and its versions, `refuseConnection`, `onEvent`, `on`, `dialogue` and
   * `signal`.
   *
   * @throws {RangeError} As the constructor; nothing has changed then.
   * @throws {InsecureConfigurationError} As the constructor; nothing has changed then.
   * @throws {TypeError} When the certificate and key cannot be used; nothing has changed then.
   */
  reconfigure(options: FtpServerOptions): void {
    const settings = checkedSettings(options);
    const commands = changedCommands(options.commands ?? {});
    // What can be refused comes first, so that nothing has changed then.
    const counts = { limits: settings.limits, ban: options.ban ?? {} };
    void new LocalCounts(counts);
    const pair = givenPair(options);
    if (pair !== undefined) describeCertificate(pair);
    this.#tls?.replaceClientCertificates(options.tls?.clientCertificates);
    if (pair !== undefined) this.#tls?.replace(pair);
    this.#authorizer = options.authorizer;
    this.#settings = settings;
    this.#commands = commands;
    if (this.#counts instanceof LocalCounts) this.#counts.configure(counts);
  }

  /**
   * Stops: no new sessions, running transfers may end within the grace time, every client gets 421. May be called again,
   * with a shorter time too.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const { graceMs = 0 } = options;
    this.#shutdown ??= this.#stop();
    const cut = () => this.#reception?.cut();
    // Set also for no time at all: the sessions have to be told to stop first.
    using _grace = new Watchdog(Math.max(graceMs, 1), cut);
    await this.#shutdown;
  }

  /** Shuts down at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  readonly #onAbort = (): void => {
    this.shutdown().catch((error) => this.#emit("internalError", { message: String(error), cause: error }));
  };

  async #start(): Promise<void> {
    const listen = this.#options.listen ?? [{}];
    this.#encoding = await loadEncoding(this.#options.encoding ?? UTF8.label);
    this.#tls = await this.#createTls(listen);
    this.#protectedData = this.#tls && new NodeTlsTransport(this.#tls);
    await using opened = new AsyncDisposableStack();
    const listening: Listening[] = [];
    for (const options of listen) {
      const entry = await this.#open(options);
      opened.defer(() => entry.listener.close());
      listening.push(entry);
    }
    opened.move();
    this.#addresses = listening.map(({ address }) => address);
    const service = this.#service(this.#protectedData);
    const { refuseConnection } = this.#options;
    this.#reception = new Reception(listening, { service, idPrefix: this.#idPrefix, refuseConnection });
    for (const address of this.#addresses) this.#emit("listening", address);
  }

  async #createTls(listen: readonly ListenOptions[]): Promise<TlsContext | undefined> {
    const { policy, clientCertificates, minVersion = "TLSv1.2", maxVersion = "TLSv1.3" } = this.#options.tls ?? {};
    if (policy === "off") return undefined;
    const given = givenPair(this.#options);
    if (given !== undefined) await tryHandshake(given);
    const pair = given ??
      await createEphemeralCertificate({ names: await certificateNames(listen.map(({ host }) => host ?? LOOPBACK)) });
    return new TlsContext({ ...pair, minVersion, maxVersion, ...clientCertificates && { clientCertificates } });
  }

  async #open(options: ListenOptions): Promise<Listening> {
    const { host = LOOPBACK, port = 2121, tls = "explicit" } = options;
    if (tls === "implicit" && this.#tls === undefined) {
      throw new TypeError("Cannot listen for implicit TLS: TLS is off");
    }
    const listener = await listenControl({ host, port }, {
      sharesPort: this.#sharesPorts,
      ...this.#tls && { context: this.#tls },
    });
    return { listener, address: { ...listener.address, tls: this.#tls === undefined ? "off" : tls } };
  }

  #service(protectedData: NodeTlsTransport | undefined): Service {
    const settings = () => this.#settings;
    const authorizer = () => this.#authorizer;
    const commands = () => this.#commands;
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
      counts: this.#counts,
      dataTransports: { C: new DenoTcpTransport(), P: protectedData },
      ports: new PortPool(this.#settings.passive.ports),
      encoding: this.#encoding,
      createDigest,
      wantsDialogue: this.#options.dialogue ?? false,
      emit: (event, fields) => this.#emit(event, fields),
    };
  }

  async #stop(): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    await this.#started?.catch(() => {}); // listen() tells its caller
    await this.#reception?.stop();
    await this.#protectedData?.[Symbol.asyncDispose]();
    this.#emit("stopped", {});
    await this.#events.close();
    this.#finished.resolve();
  }

  #emit<Name extends ServerEventName>(event: Name, fields: ServerEvents[Name]): void {
    this.#events.emit(event, fields);
  }
}

const LOOPBACK = "127.0.0.1";

function givenPair({ tls: { certificate, key } = {} }: FtpServerOptions): CertificatePair | undefined {
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  if (certificate === undefined && key === undefined) return undefined;
  throw new TypeError("Cannot use TLS: certificate and key must be given together");
}

function checkedSettings(options: FtpServerOptions): Settings {
  const settings = resolveSettings(options);
  const accepted = options.acceptRisks ?? [];
  const unaccepted = findSettingRisks(settings).find(({ risk }) => !accepted.includes(risk));
  if (unaccepted !== undefined) throw insecure(unaccepted);
  return settings;
}
