/**
 * Transcripts: tables of what a client sends and what comes back, run on a fresh server in clear and over TLS.
 *
 * @module
 */

import { assertEquals, assertMatch } from "@std/assert";
import { createServer, type Server, type Socket } from "node:net";
import type { FileSystem } from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { RawClient } from "./raw_client.ts";
import { RawDataConnection, whenClosed } from "./raw_data_connection.ts";
import { type Protection, TestServer, type TestServerOptions } from "./test_server.ts";

/** What comes back, or what the client does meanwhile. */
export type Event =
  /** A whole reply; its lines are separated by LF. */
  | string
  | RegExp
  /** What the client sends on the data connection before it ends it. */
  | { readonly sends: string }
  /** What the server sends on the data connection, to its end. */
  | { readonly receives: string | RegExp }
  | typeof DATA_CLOSED
  | typeof CLOSED;

/** What the client sends: a line without CR LF, bytes as they are (one for each character), or nothing. */
export type Sent = string | { readonly bytes: string } | typeof NOTHING;

/** A line of a transcript. */
export type Step = typeof OPENED | readonly [sent: Sent, ...events: Event[]];

/** Nothing is sent: what comes was begun before. */
export const NOTHING = { nothing: true } as const;
/** EPSV, its 229, and the TCP connection to the port. */
export const OPENED = { opened: true } as const;
/** The server ends the data connection. */
export const DATA_CLOSED = { dataClosed: true } as const;
/** The server ends the control connection. */
export const CLOSED = { closed: true } as const;

/** Files of a server whose transcript names no others. */
export const FILES: Readonly<Record<string, string>> = { "/file": "0123456789", "/dir/inner": "inside" };

/** How the server is made. */
export interface TranscriptOptions extends Omit<TestServerOptions, "protection" | "home"> {
  /** Files of the home, its directories made for them; default: {@linkcode FILES}. Or a home made anew for each run. */
  readonly files?: Readonly<Record<string, string>> | (() => FileSystem | Promise<FileSystem>);
  /** Who logs in before the transcript begins; `null`: nobody. Default: the user with all rights. */
  readonly username?: string | null;
  /** Whether the transcript itself starts TLS. */
  readonly startsClear?: true;
  /** Default: in clear, and with explicit TLS. */
  readonly protections?: readonly Protection[];
}

/**
 * Registers a test for each way to protect the connection. In a line, `{PORT}` and `{EPRT}` stand for the arguments that name
 * a port of the client, which takes one connection; `{CLOSED_PORT}` and `{CLOSED_EPRT}` for one where nobody accepts.
 */
export function testTranscript(name: string, steps: readonly Step[], options: TranscriptOptions = {}): void {
  for (const protection of options.protections ?? ["clear", "explicit"]) {
    Deno.test(`${name}: ${protection}`, async () => {
      const { files = FILES, username, startsClear, ...rest } = options;
      const home = typeof files === "function" ? await files() : MemoryFileSystem.of(files);
      const active = { enabled: true, ...rest.server?.active };
      await using server = await TestServer.start({ ...rest, home, protection, server: { ...rest.server, active } });
      await using client = startsClear ? await connectClear(server) : await connect(server, username);
      await using run = new Run(client, server.host);
      for (const step of steps) await run.step(step);
    });
  }
}

function connect(server: TestServer, username: string | null | undefined): Promise<RawClient> {
  return username === null ? server.connect() : server.login(username === undefined ? {} : { username });
}

async function connectClear(server: TestServer): Promise<RawClient> {
  const client = await RawClient.connect({ host: server.host, port: server.port });
  await client.readReply("connecting");
  return client;
}

/** A transcript that is under way. */
class Run implements AsyncDisposable {
  readonly #client: RawClient;
  readonly #host: string;
  #data: RawDataConnection | undefined;
  #active: ActivePort | undefined;

  constructor(client: RawClient, host: string) {
    this.#client = client;
    this.#host = host;
  }

  async step(step: Step): Promise<void> {
    if ("opened" in step) return await this.#open();
    const [sent, ...events] = step;
    const movesData = events.some((event) => typeof event === "object" && ("sends" in event || "receives" in event));
    if (movesData && this.#data === undefined && this.#active === undefined) await this.#open();
    const where = JSON.stringify(sent);
    await this.#send(sent);
    for (const event of events) await this.#expect(event, where);
    if (sent === "ABOR") await this.#dropData();
  }

  async #open(): Promise<void> {
    await this.#data?.[Symbol.asyncDispose]();
    this.#data = await this.#client.passive();
  }

  async #send(sent: Sent): Promise<void> {
    if (typeof sent === "string") await this.#client.send(`${await this.#filled(sent)}\r\n`);
    else if ("bytes" in sent) await this.#client.send(Uint8Array.from(sent.bytes, (one) => one.charCodeAt(0)));
  }

  /** Puts addresses in the place of their names. */
  async #filled(line: string): Promise<string> {
    const [, name = ""] = /\{(\w+)\}$/.exec(line) ?? [];
    if (name === "") return line;
    await this.#active?.[Symbol.asyncDispose]();
    this.#active = await ActivePort.open(this.#host);
    const argument = this.#active.arguments[name.endsWith("EPRT") ? "EPRT" : "PORT"];
    if (name.startsWith("CLOSED")) {
      await this.#active[Symbol.asyncDispose]();
      this.#active = undefined;
    }
    return line.replace(`{${name}}`, argument);
  }

  async #expect(event: Event, where: string): Promise<void> {
    if (typeof event === "string" || event instanceof RegExp) return await this.#expectReply(event, where);
    if ("closed" in event) return assertEquals(await this.#client.closed(), "end", where);
    const data = this.#data ?? await this.#active?.connection(this.#client.tls !== undefined);
    if (data === undefined) throw new Error(`No data connection was opened for ${where}`);
    if ("dataClosed" in event) await data.ended();
    else await data.secure();
    if ("sends" in event) {
      await data.write(new TextEncoder().encode(event.sends));
      await data.finish();
    } else if ("receives" in event) {
      assertText(new TextDecoder().decode(await data.readAll()), event.receives, where);
    }
    await this.#dropData();
  }

  async #expectReply(expected: string | RegExp, where: string): Promise<void> {
    const { code, text } = await this.#client.readReply(where);
    assertText(text.replaceAll("\r\n", "\n"), expected, where);
    if (code === 234) await this.#client.upgrade();
  }

  async #dropData(): Promise<void> {
    await this.#data?.[Symbol.asyncDispose]();
    await this.#active?.[Symbol.asyncDispose]();
    this.#data = undefined;
    this.#active = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#dropData();
  }
}

function assertText(actual: string, expected: string | RegExp, where: string): void {
  if (typeof expected === "string") assertEquals(actual, expected, where);
  else assertMatch(actual, expected, where);
}

/**
 * A port of the client. The client's end of a protected connection is a TLS client here, too (RFC 4217 §7), so it is reached
 * through a second port, behind which the accepted connection stands.
 */
class ActivePort implements AsyncDisposable {
  readonly #dialled: Server;
  readonly #host: string;
  readonly #resources = new AsyncDisposableStack();
  readonly #accepted = Promise.withResolvers<Socket>();

  private constructor(dialled: Server, host: string) {
    this.#dialled = dialled;
    this.#host = host;
    this.#own(dialled);
    dialled.once("connection", (socket: Socket) => this.#accepted.resolve(this.#own(socket.pause())));
  }

  static async open(host: string): Promise<ActivePort> {
    return new ActivePort(await listening(host), host);
  }

  /** Arguments of PORT and EPRT. */
  get arguments(): { readonly PORT: string; readonly EPRT: string } {
    const port = portOf(this.#dialled);
    return {
      PORT: `${this.#host.replaceAll(".", ",")},${port >> 8},${port & 255}`,
      EPRT: `|${this.#host.includes(":") ? 2 : 1}|${this.#host}|${port}|`,
    };
  }

  /** The connection that the server has made. */
  async connection(isProtected: boolean): Promise<RawDataConnection> {
    const accepted = await this.#accepted.promise;
    const front = this.#own(await listening(this.#host));
    front.once("connection", (socket: Socket) => {
      this.#own(socket).pipe(accepted).pipe(socket);
    });
    const tls = isProtected ? { rejectUnauthorized: false } : undefined;
    const options = { host: this.#host, port: portOf(front), tls, deadlineMs: 10_000 };
    return this.#resources.use(await RawDataConnection.connect(options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  #own<Closable extends Server | Socket>(it: Closable): Closable {
    this.#resources.defer(async () => {
      if (!("destroy" in it)) return void it.close();
      it.destroy();
      await whenClosed(it);
    });
    return it;
  }
}

async function listening(host: string): Promise<Server> {
  const server = createServer();
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, host, resolve);
  await promise;
  return server;
}

function portOf(server: Server): number {
  const address = server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}
