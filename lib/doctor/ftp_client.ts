/**
 * The FTP client of `ftpsd doctor`. It connects to nothing but the host that it was told, whatever a server announces.
 *
 * RFC 959, RFC 2228, RFC 2428, RFC 4217.
 *
 * @module
 */

import { parseHostPort } from "../protocol/host_port.ts";
import type { Patience } from "./patience.ts";
import { Wire, type WireTls } from "./wire.ts";
import { shown, WireError } from "./wire_error.ts";

/** Whom to speak with, and how. */
export interface FtpTarget {
  /** Name or address. */
  readonly host: string;
  readonly port: number;
  readonly isImplicit: boolean;
  /** How TLS is begun. */
  readonly tls: WireTls;
}

/** A reply. */
export interface FtpReply {
  /** 100 to 599. */
  readonly code: number;
  /** Its lines, without codes. */
  readonly lines: readonly string[];
}

/** Where a server waits for a data connection. */
export interface PassivePort {
  /** Address that PASV announces; EPSV announces none. */
  readonly announced?: string;
  readonly port: number;
}

/** How data connections are protected. */
export interface DataProtection {
  readonly isProtected: boolean;
  /** Whether the session of the control connection is offered. */
  readonly offersSession: boolean;
}

/** Most lines of a reply. */
const MAX_REPLY_LINES = 500;
const encoder = new TextEncoder();

/** A control connection, to be disposed of by who has opened it. */
export class FtpClient implements AsyncDisposable {
  readonly #target: FtpTarget;
  readonly #patience: Patience;
  readonly #wire: Wire;

  private constructor(wire: Wire, target: FtpTarget, patience: Patience) {
    this.#wire = wire;
    this.#target = target;
    this.#patience = patience;
  }

  /**
   * Connects, with TLS where it is implicit. The greeting is still to be read.
   *
   * @throws {WireError} When that fails.
   */
  static async connect(target: FtpTarget, patience: Patience): Promise<FtpClient> {
    const wire = await Wire.dial(target, patience);
    const client = new FtpClient(wire, target, patience);
    try {
      if (target.isImplicit) await wire.startTls(target.tls);
      return client;
    } catch (error) {
      await wire[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The connection itself. */
  get wire(): Wire {
    return this.#wire;
  }

  /** Waits for a reply. */
  async readReply(after: string): Promise<FtpReply> {
    const what = `reply to ${after}`;
    const first = await this.#wire.readLine(what);
    const [, code = "", separator] = /^([1-5]\d\d)([ -]|$)/.exec(first) ?? [];
    if (code === "") throw new WireError("failed", `the ${what} is none of FTP: "${shown(first)}"`);
    const lines = [first.slice(4)];
    if (separator !== "-") return { code: Number(code), lines };
    for (let isLast = false; !isLast;) {
      const line = await this.#wire.readLine(what);
      isLast = line.startsWith(`${code} `);
      if (lines.push(isLast ? line.slice(4) : line) > MAX_REPLY_LINES) {
        throw new WireError("tooLarge", `the ${what} has no end`);
      }
    }
    return { code: Number(code), lines };
  }

  /** Sends a command and waits for its reply. `shownAs` is what messages may say of it. */
  async command(line: string, shownAs: string = line): Promise<FtpReply> {
    await this.send(line);
    return await this.readReply(shownAs);
  }

  /** Sends a command. */
  async send(line: string): Promise<void> {
    if (/[\r\n\0]/.test(line)) throw new TypeError("Cannot send a command with a line end in it");
    await this.#wire.write(encoder.encode(`${line}\r\n`));
  }

  /** Makes the handshake after AUTH TLS. */
  async startTls(): Promise<void> {
    await this.#wire.startTls(this.#target.tls);
  }

  /** Asks by EPSV for a data connection; by PASV where `isExtended` is false. A reply that is none is returned itself. */
  async askPassive({ isExtended }: { readonly isExtended: boolean }): Promise<PassivePort | FtpReply> {
    const reply = await this.command(isExtended ? "EPSV" : "PASV");
    const text = reply.lines.join(" ");
    if (isExtended) {
      const [, , port = ""] = /\((.)\1\1(\d{1,5})\1\)/.exec(text) ?? [];
      return reply.code === 229 && isPort(Number(port)) ? { port: Number(port) } : reply;
    }
    const found = parseHostPort(/\d{1,3}(?:,\d{1,3}){5}/.exec(text)?.[0] ?? "");
    return reply.code === 227 && found !== undefined && isPort(found.port)
      ? { announced: found.host, port: found.port }
      : reply;
  }

  /**
   * Opens the TCP part of a data connection: to the address of the control connection, where Deno permits that, else to the
   * name that it was told.
   */
  async dial(port: number, patience: Patience = this.#patience): Promise<Wire> {
    const { address } = this.#wire;
    const { state } = await Deno.permissions.query({ name: "net", host: withBrackets(address) });
    return await Wire.dial({ host: state === "granted" ? address : this.#target.host, port }, patience);
  }

  /** Begins TLS on a data connection. */
  async protect(data: Wire, { offersSession }: { readonly offersSession: boolean }): Promise<void> {
    await data.startTls({ ...this.#target.tls, session: offersSession ? this.#wire.session : undefined });
  }

  /** Ends the session in order. That it does not end is nobody's concern any more. */
  async quit(): Promise<void> {
    try {
      await this.command("QUIT");
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#wire[Symbol.asyncDispose]();
  }
}

function isPort(port: number): boolean {
  return port > 0 && port <= 65535;
}

function withBrackets(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
