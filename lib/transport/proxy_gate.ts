/**
 * The PROXY protocol on accepted sockets: who may speak for others, and the wait for what they say.
 *
 * A header is read beside the loop that accepts, so that a balancer that is silent holds up nobody else.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type net from "node:net";
import { type AddressRange, isInRange } from "../protocol/address_range.ts";
import { parseProxyHeader, type ProxyHeader } from "../protocol/proxy_header.ts";
import type { ProxyRoute, SocketAddress } from "./connection.ts";
import { guarded } from "./error_scope.ts";

/** Both ends of a connection, as its client sees them. */
export interface ProxiedEnds {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly route: ProxyRoute;
}

/** What a {@linkcode ProxyGate} goes by. */
export interface ProxyGateOptions {
  /** From where headers are believed; connections from elsewhere are closed. */
  readonly trusted: readonly AddressRange[];
  /** How long a header may take, in milliseconds, over 0; asked for each. */
  readonly timeoutMs: () => number;
  /** Told of each connection that was closed for what it is, or for what it said. */
  readonly onRefused: (remote: SocketAddress, reason: string) => void;
  /** Most connections of all listeners of the gate that may wait for their header at once. @default {512} */
  readonly maxPending?: number;
}

/** How a socket goes on. */
export interface ProxyReceiver {
  /** Takes it over, paused, with what came behind the header. Its errors have a listener, which does nothing. */
  readonly onClient: (ends: ProxiedEnds, behind: Uint8Array) => void;
  /** What the balancer is told when it only looks whether somebody is here; absent: nothing. */
  readonly checkReply?: string | undefined;
}

/** Few wait at any moment: a balancer sends its header at once. */
const MAX_PENDING = 512;
/** How long a balancer that was answered may take to close its connection. */
const CHECK_END_MS = 1000;

/** Reads the headers of the connections of one address that is listened on, and of its passive ports. */
export class ProxyGate {
  readonly #options: ProxyGateOptions;
  #pendingCount = 0;

  constructor(options: ProxyGateOptions) {
    this.#options = options;
  }

  /**
   * Reads the header of a socket. Destroying the socket ends that.
   *
   * @param socket Paused. It closes within the time of the header and a second, unless `onClient` has it.
   * @param ends Of its TCP connection.
   */
  receive(socket: net.Socket, ends: Omit<ProxyRoute, "uniqueId">, receiver: ProxyReceiver): void {
    socket.on("error", () => {}); // it closes then, which says enough
    const refuse = (reason: string) => {
      socket.destroy();
      this.#options.onRefused(ends.remote, reason);
    };
    if (!this.#options.trusted.some((range) => isInRange(ends.remote.host, range))) {
      return refuse("its address is not one of proxyProtocol");
    }
    if (this.#pendingCount >= (this.#options.maxPending ?? MAX_PENDING)) {
      return refuse("too many connections wait for their PROXY header");
    }
    this.#pendingCount++;
    new PendingHeader(socket, this.#options.timeoutMs(), {
      onHeader: (header, behind) => {
        if (header.kind === "check" || isSame(header.source, ends.remote)) {
          return answerCheck(socket, receiver.checkReply);
        }
        const { source, destination, uniqueId } = header;
        receiver.onClient({ local: destination, remote: source, route: { ...ends, uniqueId } }, behind);
      },
      onRefused: refuse,
      onSettled: () => void this.#pendingCount--,
    }).start();
  }
}

/** Whoever speaks for the very end of its own connection is a balancer that checks: in version 1 HAProxy says so. */
function isSame(source: SocketAddress, remote: SocketAddress): boolean {
  return source.host === remote.host && source.port === remote.port;
}

/** Answers, and closes once the balancer has closed, or soon: closing with unread bytes would take the answer back. */
function answerCheck(socket: net.Socket, reply: string | undefined): void {
  const deadline = setTimeout(guarded(() => void socket.destroy()), CHECK_END_MS);
  socket.once("close", guarded(() => clearTimeout(deadline)));
  socket.once("end", guarded(() => void socket.destroy()));
  socket.resume();
  if (reply === undefined) socket.end();
  else socket.end(reply);
}

/** What may become of a header. */
interface PendingHeaderEnds {
  /** The socket is paused. */
  readonly onHeader: (header: ProxyHeader, behind: Uint8Array) => void;
  readonly onRefused: (reason: string) => void;
  /** Called first, whatever comes of it. */
  readonly onSettled: () => void;
}

/** A socket whose header has not come yet. */
class PendingHeader {
  readonly #socket: net.Socket;
  readonly #ends: PendingHeaderEnds;
  readonly #timeoutMs: number;
  #deadline: ReturnType<typeof setTimeout> | undefined;
  #received: Uint8Array = new Uint8Array(0);

  constructor(socket: net.Socket, timeoutMs: number, ends: PendingHeaderEnds) {
    this.#socket = socket;
    this.#ends = ends;
    this.#timeoutMs = timeoutMs;
  }

  /** Reads until the header is there, the time is over, or the socket ends. */
  start(): void {
    const late = () => this.#refuse("its PROXY header did not come in time");
    this.#deadline = setTimeout(guarded(late), this.#timeoutMs);
    this.#socket.on("data", this.#take);
    this.#socket.once("end", this.#leave);
    this.#socket.once("close", this.#settle);
    this.#socket.resume();
  }

  readonly #take = guarded((chunk: Uint8Array) => {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const result = parseProxyHeader(this.#received);
    if (result.state === "incomplete") return;
    if (result.state === "refused") return this.#refuse(result.reason);
    this.#settle();
    this.#ends.onHeader(result.header, this.#received.subarray(result.bytes));
  });

  readonly #leave = guarded(() => {
    if (this.#received.length > 0) return this.#refuse("it left within its PROXY header");
    // Balancers that check without a header connect and leave, which is nothing to tell.
    this.#settle();
    this.#socket.destroy();
  });

  #refuse(reason: string): void {
    this.#settle();
    this.#ends.onRefused(reason);
  }

  readonly #settle = guarded(() => {
    clearTimeout(this.#deadline);
    this.#socket.pause();
    this.#socket.off("data", this.#take);
    this.#socket.off("end", this.#leave);
    this.#socket.off("close", this.#settle);
    this.#ends.onSettled();
  });
}
