/**
 * From a client that connects to its session, or to its refusal.
 *
 * @module
 */

import { ControlConnection } from "../control/control_connection.ts";
import type { DataTransports, Service } from "../control/session_state.ts";
import { type ConnectionSlot, StateUnavailableError } from "../state/state.ts";
import { abortable, delay, Watchdog } from "../deadline.ts";
import { formatSocketAddress } from "../protocol/host_port.ts";
import { formatReply, reply } from "../protocol/reply.ts";
import type { SessionInfo } from "../session/session.ts";
import {
  ConnectionError,
  type ControlListener,
  type ControlTransport,
  type PeerCertificate,
} from "../transport/connection.ts";
import { type ErrorScope, runInScope } from "../transport/error_scope.ts";
import { describeThrown } from "../thrown.ts";

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

/** A client that has just connected. */
export interface ConnectingClient {
  /** Its numeric address. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
  /** Where it has reached the server. */
  readonly listener: ListeningAddress;
  /** Aborts when the answer comes too late. */
  readonly signal: AbortSignal;
}

/** Returns why a client is refused; `undefined` lets it in. */
export type RefuseConnection = (client: ConnectingClient) => string | undefined | Promise<string | undefined>;

/** How clients are taken in. */
export interface AcceptorOptions {
  readonly service: Service;
  /** Beginning of the sessions' ids, which nobody else has. */
  readonly idPrefix: string;
  /** Asked about each client that there is a place for. */
  readonly refuseConnection: RefuseConnection | undefined;
}

/** A listener and what it is for. */
export interface Listening {
  readonly listener: ControlListener;
  readonly address: ListeningAddress;
  /** Of data connections, which come the same way. */
  readonly dataTransports: DataTransports;
}

/** Where a client has come in. */
type Entrance = Omit<Listening, "listener">;

/** Takes in the clients of a server. It owns its listeners and sessions. */
export class Acceptor {
  readonly #listening: readonly Listening[];
  readonly #service: Service;
  readonly #idPrefix: string;
  readonly #refuseConnection: RefuseConnection | undefined;
  readonly #stopping = new AbortController();
  /** End the waits for what decides about clients. */
  readonly #deadlines = new Set<AbortController>();
  readonly #sessions = new Set<ControlConnection>();
  /** From the connection to the end, for each client. */
  readonly #connections = new Set<Promise<void>>();
  readonly #accepting: readonly Promise<void>[];
  #sessionCount = 0;

  /** Starts to accept. */
  constructor(listening: readonly Listening[], options: AcceptorOptions) {
    this.#listening = listening;
    this.#service = options.service;
    this.#idPrefix = options.idPrefix;
    this.#refuseConnection = options.refuseConnection;
    this.#accepting = listening.map((entry) => this.#accept(entry));
  }

  /** Who is there. */
  get sessions(): readonly SessionInfo[] {
    return [...this.#sessions].map((session) => session.info);
  }

  /** Accepts nobody any more, ends every session once its transfer has ended, and waits for that. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const deadline of this.#deadlines) deadline.abort();
    for (const { listener } of this.#listening) listener.close();
    await Promise.all(this.#accepting);
    for (const session of this.#sessions) session.stop();
    await Promise.all(this.#connections);
  }

  /** Ends a session with 421; tells whether there was one of this id. */
  disconnect(id: string, text: string): boolean {
    const session = [...this.#sessions].find(({ info }) => info.session === id);
    session?.stop(text);
    session?.cut(text);
    return session !== undefined;
  }

  /** Ends all sessions whose clients have shown a certificate that is meant, as {@linkcode Acceptor.disconnect} does. */
  disconnectClients(isMeant: (certificate: PeerCertificate) => boolean, text: string): void {
    for (const session of this.#sessions) {
      if (session.peerCertificate === undefined || !isMeant(session.peerCertificate)) continue;
      session.stop(text);
      session.cut(text);
    }
  }

  /** Cuts all running transfers. */
  cut(): void {
    for (const session of this.#sessions) session.cut();
  }

  /** Takes in the clients of one listener until it is closed. Never rejects. */
  async #accept({ listener, ...entrance }: Listening): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        const scope = new ClientScope(this.#service);
        scope.transport = await runInScope(scope, () => listener.accept());
        const visit = runInScope(scope, () => this.#receive(scope, entrance)).finally(() =>
          this.#connections.delete(visit)
        );
        this.#connections.add(visit);
      } catch (error) {
        if (error instanceof ConnectionError && error.kind === "closed") return;
        this.#service.emit("internalError", {
          message: `Cannot accept a connection: ${describeThrown(error)}`,
          cause: error,
        });
        await delay(ACCEPT_RETRY_MS, this.#stopping.signal).catch(() => {}); // stopping ends the loop
      }
    }
  }

  /** Never rejects. */
  async #receive(scope: ClientScope, entrance: Entrance): Promise<void> {
    const { transport } = scope;
    if (transport === undefined) return;
    try {
      await this.#admit(transport, entrance, scope);
    } catch (error) {
      scope.fail(error);
    }
  }

  async #admit(transport: ControlTransport, entrance: Entrance, scope: ClientScope): Promise<void> {
    const { address } = entrance;
    const place = await this.#acquireConnection(transport.remote.host);
    if (typeof place === "string") return await this.#refuse(transport, { reason: place, address });
    using _place = place;
    const reason = await this.#reasonToRefuse(transport, address);
    if (reason !== undefined) return await this.#refuse(transport, { reason, address });
    await this.#serve(transport, { ...entrance, place, scope });
  }

  /** Takes a place; where the state does not give an answer, or none in time, there is none. */
  async #acquireConnection(host: string): Promise<ConnectionSlot | string> {
    using deadline = this.#startDeadline();
    const { signal } = deadline;
    try {
      return await this.#service.state.acquireConnection(host, signal);
    } catch (error) {
      if (signal.aborted || error instanceof StateUnavailableError) return "Service not available, try again later.";
      throw error;
    }
  }

  /** The time in which it has to be known whether a client is admitted: that of a login, until the server stops. */
  #startDeadline(): Disposable & { readonly signal: AbortSignal } {
    const deadline = new AbortController();
    if (this.#stopping.signal.aborted) deadline.abort();
    this.#deadlines.add(deadline);
    const watchdog = new Watchdog(this.#service.settings.timeouts.login * 1000, () => deadline.abort());
    return {
      signal: deadline.signal,
      [Symbol.dispose]: () => {
        watchdog[Symbol.dispose]();
        this.#deadlines.delete(deadline);
      },
    };
  }

  /** What the program says against a client; what it cannot say in time is a no. */
  async #reasonToRefuse(transport: ControlTransport, listener: ListeningAddress): Promise<string | undefined> {
    if (this.#refuseConnection === undefined) return undefined;
    using deadline = this.#startDeadline();
    const { signal } = deadline;
    const { host, port } = transport.remote;
    try {
      const reason = await abortable(Promise.resolve(this.#refuseConnection({ host, port, listener, signal })), signal);
      if (reason !== undefined && typeof reason !== "string") throw new TypeError("It gave no text");
      return reason;
    } catch (cause) {
      if (!signal.aborted) {
        this.#service.emit("internalError", { message: `refuseConnection failed: ${describeThrown(cause)}`, cause });
      }
      return "Service not available.";
    }
  }

  async #serve(
    transport: ControlTransport,
    { address, dataTransports, place, scope }: Entrance & {
      readonly place: ConnectionSlot;
      readonly scope: ClientScope;
    },
  ): Promise<void> {
    const session = new ControlConnection(transport, {
      service: this.#service,
      id: `${this.#idPrefix}-${(++this.#sessionCount).toString(36)}`,
      listenHost: address.host,
      implicitTls: address.tls === "implicit",
      dataTransports,
      onLogin: () => place.loggedIn(),
    });
    scope.session = session;
    this.#sessions.add(session);
    const served = session.run();
    // The server may have been stopped while another event loop was asked for the place.
    if (this.#stopping.signal.aborted) session.stop();
    await served;
    this.#sessions.delete(session);
  }

  /** Greets with 421; where TLS is implicit there is no greeting before the handshake, so the connection just ends. */
  async #refuse(
    transport: ControlTransport,
    { reason, address }: { readonly reason: string; readonly address: ListeningAddress },
  ): Promise<void> {
    this.#service.emit("connectionRefused", { remote: formatSocketAddress(transport.remote), reason });
    using _deadline = new Watchdog(REFUSAL_TIMEOUT_MS, () => transport.close());
    try {
      if (address.tls !== "implicit") {
        await transport.write(new TextEncoder().encode(formatReply(reply(421, reason))));
      }
      await transport.finish();
    } catch {
      // Gone already, which is what was wanted.
    }
    transport.close();
  }
}

/** One client, to its errors that nobody caught. */
class ClientScope implements ErrorScope {
  readonly #service: Service;
  transport: ControlTransport | undefined;
  session: ControlConnection | undefined;

  constructor(service: Service) {
    this.#service = service;
  }

  fail(cause: unknown): void {
    if (this.session !== undefined) return this.session.fail(cause);
    this.#service.emit("internalError", { message: describeThrown(cause), cause, uncaught: true });
    this.transport?.close();
  }
}
