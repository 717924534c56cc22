/**
 * The server: listeners, sessions, start and stop.
 *
 * @module
 */

import { LoginThrottle } from "../auth/login_throttle.ts";
import { AccountUsage } from "../control/account_usage.ts";
import type { Authorizer } from "../auth/authorizer.ts";
import { ControlConnection } from "../control/control_connection.ts";
import type { Service } from "../control/service.ts";
import { PortPool } from "../data/port_pool.ts";
import { delay, Watchdog } from "../deadline.ts";
import type { ServerEvent, ServerEventName, ServerEvents } from "../events.ts";
import { createDigest } from "../filesystem/node_digest.ts";
import { addressBlock, formatSocketAddress } from "../protocol/host_port.ts";
import { formatReply, reply } from "../protocol/reply.ts";
import { loadEncoding, type TextEncoding, UTF8 } from "../protocol/text_encoding.ts";
import type { Settings } from "../session/settings.ts";
import { ConnectionError, type ControlListener, type ControlTransport } from "../transport/connection.ts";
import { DenoTcpTransport } from "../transport/deno_tcp.ts";
import { certificateNames, createEphemeralCertificate } from "../transport/ephemeral_certificate.ts";
import { listenControl } from "../transport/node_control.ts";
import { NodeTlsTransport } from "../transport/node_tls.ts";
import {
  type CertificateInfo,
  type CertificatePair,
  describeCertificate,
  TlsContext,
} from "../transport/tls_context.ts";
import { ConnectionLimits } from "./limits.ts";
import { type FtpServerOptions, type ListenOptions, resolveSettings } from "./options.ts";
import { findSettingRisks, insecure } from "./risks.ts";

/** How long a client that is refused may take for its 421. */
const REFUSAL_TIMEOUT_MS = 1_000;
/** Pause after a failed accept, which is tried again: descriptors may be short for a moment. */
const ACCEPT_RETRY_MS = 500;

/** An address that a server listens on. */
export interface ListeningAddress {
  /** Numeric address. */
  readonly host: string;
  /** Port, 1 to 65535. */
  readonly port: number;
  /** When TLS starts. */
  readonly tls: "explicit" | "implicit" | "off";
}

/** What {@linkcode FtpServer.shutdown} waits for. */
export interface ShutdownOptions {
  /**
   * How long running transfers may go on, in milliseconds; then they are cut.
   *
   * @default {0}
   */
  readonly graceMs?: number;
}

interface Listening {
  readonly listener: ControlListener;
  readonly address: ListeningAddress;
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
  readonly #limits: ConnectionLimits;
  readonly #throttle: LoginThrottle;
  readonly #accounts = new AccountUsage();
  readonly #stopping = new AbortController();
  readonly #finished = Promise.withResolvers<void>();
  readonly #sessions = new Map<ControlConnection, Promise<void>>();
  /** Clients that are being refused. */
  readonly #refusals = new Set<Promise<void>>();
  readonly #idPrefix = crypto.randomUUID().slice(0, 4);
  #authorizer: Authorizer;
  #settings: Settings;
  #sessionCount = 0;
  #started: Promise<void> | undefined;
  #shutdown: Promise<void> | undefined;
  #listening: readonly Listening[] = [];
  #accepting: readonly Promise<void>[] = [];
  #tls: TlsContext | undefined;
  #protectedData: NodeTlsTransport | undefined;
  #encoding: TextEncoding = UTF8;

  /**
   * Checks the options; nothing is opened yet.
   *
   * @throws {RangeError} When a number is out of its range.
   * @throws {InsecureConfigurationError} When an option is a risk that `acceptRisks` does not name.
   */
  constructor(options: FtpServerOptions) {
    this.#options = options;
    this.#authorizer = options.authorizer;
    this.#settings = checkedSettings(options);
    this.#limits = new ConnectionLimits(this.#settings.limits);
    this.#throttle = new LoginThrottle(options.ban);
  }

  /** Where the server listens; empty before `listen()`. */
  get addresses(): readonly ListeningAddress[] {
    return this.#listening.map(({ address }) => address);
  }

  /** The certificate in use; `undefined` before `listen()` and without TLS. */
  get certificate(): CertificateInfo | undefined {
    return this.#tls?.info;
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
   * `encoding`, `passive.ports`, whether there is TLS and its versions, `onEvent`, `dialogue` and `signal`.
   *
   * @throws {RangeError} As the constructor; nothing has changed then.
   * @throws {InsecureConfigurationError} As the constructor; nothing has changed then.
   * @throws {TypeError} When the certificate and key cannot be used; nothing has changed then.
   */
  reconfigure(options: FtpServerOptions): void {
    const settings = checkedSettings(options);
    // What can be refused comes first, so that nothing has changed then.
    void new LoginThrottle(options.ban);
    const pair = givenPair(options);
    if (pair !== undefined) describeCertificate(pair);
    this.#tls?.replaceClientCertificates(options.tls?.clientCertificates);
    if (pair !== undefined) this.#tls?.replace(pair);
    this.#authorizer = options.authorizer;
    this.#settings = settings;
    this.#limits.configure(settings.limits);
    this.#throttle.configure(options.ban ?? {});
  }

  /**
   * Stops: no new sessions, running transfers may end within the grace time, every client gets 421. May be called again,
   * with a shorter time too.
   */
  async shutdown(options: ShutdownOptions = {}): Promise<void> {
    const { graceMs = 0 } = options;
    this.#shutdown ??= this.#stop();
    const cut = () => this.#sessions.forEach((_, session) => session.cut());
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
    this.#listening = listening;
    const service = this.#service(this.#protectedData);
    this.#accepting = listening.map((entry) => this.#accept(entry, service));
    for (const { address } of listening) this.#emit("listening", address);
  }

  async #createTls(listen: readonly ListenOptions[]): Promise<TlsContext | undefined> {
    const { policy, clientCertificates, minVersion = "TLSv1.2", maxVersion = "TLSv1.3" } = this.#options.tls ?? {};
    if (policy === "off") return undefined;
    const pair = givenPair(this.#options) ??
      await createEphemeralCertificate({ names: await certificateNames(listen.map(({ host }) => host ?? LOOPBACK)) });
    return new TlsContext({ ...pair, minVersion, maxVersion, ...clientCertificates && { clientCertificates } });
  }

  async #open(options: ListenOptions): Promise<Listening> {
    const { host = LOOPBACK, port = 2121, tls = "explicit" } = options;
    if (tls === "implicit" && this.#tls === undefined) {
      throw new TypeError("Cannot listen for implicit TLS: TLS is off");
    }
    const listener = await listenControl({ host, port }, this.#tls === undefined ? {} : { context: this.#tls });
    return { listener, address: { ...listener.address, tls: this.#tls === undefined ? "off" : tls } };
  }

  #service(protectedData: NodeTlsTransport | undefined): Service {
    const settings = () => this.#settings;
    const authorizer = () => this.#authorizer;
    return {
      get settings() {
        return settings();
      },
      get authorizer() {
        return authorizer();
      },
      bans: {
        isBanned: (host) => this.#throttle.isBanned(host),
        countFailure: (host) => this.#countFailure(host),
      },
      accounts: this.#accounts,
      dataTransports: { C: new DenoTcpTransport(), P: protectedData },
      ports: new PortPool(this.#settings.passive.ports),
      encoding: this.#encoding,
      createDigest,
      wantsDialogue: this.#options.dialogue ?? false,
      emit: (event, fields) => this.#emit(event, fields),
    };
  }

  /** Serves the clients of one listener until it is closed. Never rejects. */
  async #accept({ listener, address }: Listening, service: Service): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        this.#serve(await listener.accept(), address, service);
      } catch (error) {
        if (error instanceof ConnectionError && error.kind === "closed") return;
        this.#emit("internalError", { message: `Cannot accept a connection: ${error}`, cause: error });
        await delay(ACCEPT_RETRY_MS, this.#stopping.signal).catch(() => {}); // stopping ends the loop
      }
    }
  }

  #serve(transport: ControlTransport, address: ListeningAddress, service: Service): void {
    const { host } = transport.remote;
    const implicitTls = address.tls === "implicit";
    const refusal = this.#throttle.isBanned(host) ? BANNED : this.#limits.refusal(host);
    if (refusal !== undefined) {
      const refused = this.#refuse(transport, refusal, implicitTls).finally(() => this.#refusals.delete(refused));
      this.#refusals.add(refused);
      return;
    }
    const counted = this.#limits.count(host);
    const id = `${this.#idPrefix}-${(++this.#sessionCount).toString(36)}`;
    const session = new ControlConnection(transport, {
      service,
      id,
      listenHost: address.host,
      implicitTls,
      onLogin: () => counted.loggedIn(),
    });
    const served = session.run().finally(() => {
      counted[Symbol.dispose]();
      this.#sessions.delete(session);
    });
    this.#sessions.set(session, served);
  }

  #countFailure(host: string): boolean {
    const seconds = this.#throttle.countFailure(host);
    if (seconds !== undefined) this.#emit("banned", { address: addressBlock(host), seconds });
    return this.#throttle.isBanned(host);
  }

  /** Greets with 421; where TLS is implicit there is no greeting before the handshake, so the connection just ends. */
  async #refuse(transport: ControlTransport, reason: string, implicitTls: boolean): Promise<void> {
    this.#emit("connectionRefused", { remote: formatSocketAddress(transport.remote), reason });
    using _deadline = new Watchdog(REFUSAL_TIMEOUT_MS, () => transport.close());
    try {
      if (!implicitTls) await transport.write(new TextEncoder().encode(formatReply(reply(421, reason))));
      await transport.finish();
    } catch {
      // Gone already, which is what was wanted.
    }
    transport.close();
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    await this.#started?.catch(() => {}); // listen() tells its caller
    for (const { listener } of this.#listening) listener.close();
    await Promise.all(this.#accepting);
    for (const session of this.#sessions.keys()) session.stop();
    await Promise.all([...this.#sessions.values(), ...this.#refusals]);
    await this.#protectedData?.[Symbol.asyncDispose]();
    this.#emit("stopped", {});
    this.#finished.resolve();
  }

  #emit<Name extends ServerEventName>(event: Name, fields: ServerEvents[Name]): void {
    const { onEvent } = this.#options;
    if (onEvent === undefined) return;
    try {
      onEvent({ event, time: new Date(), ...fields } as ServerEvent);
    } catch (cause) {
      if (event !== "internalError") {
        this.#emit("internalError", { message: `The event listener threw: ${cause}`, cause });
      }
    }
  }
}

const LOOPBACK = "127.0.0.1";
const BANNED = "Too many failed logins, try again later.";

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
