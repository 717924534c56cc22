/**
 * Plays cases of the hand-over harness against a server.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { MeasuredServer } from "../../helpers/measured_server.ts";
import type { RawClient } from "../../helpers/raw_client.ts";
import { opened } from "../../helpers/raw_data_connection.ts";
import { SocketReader, withDeadline } from "../../helpers/socket_reader.ts";
import type { HandoverCase } from "./handover_case.ts";
import { CutStream, pause, PieceSender } from "./piece_sender.ts";

const HOST = "127.0.0.1";
/** Much longer than the server's own deadlines. */
const DEADLINE_MS = 60_000;

/** The file that is fetched: `size` bytes of it are at `/SIZE`. */
export function contentOf(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => (index * 31 + (index >> 8)) & 0xff);
}

/** One client, that plays case after case; data connections share its session. */
export class HandoverClient implements AsyncDisposable {
  readonly #server: MeasuredServer;
  readonly #name: string;
  #session: RawClient | undefined;
  #isProtected = false;

  /** @param name Name of its uploads. */
  constructor(server: MeasuredServer, name: string) {
    this.#server = server;
    this.#name = name;
  }

  /**
   * Plays a case.
   *
   * @returns Whether a handshake was completed.
   * @throws {Error} When it does not end as it has to.
   */
  async play(plan: HandoverCase): Promise<boolean> {
    try {
      if (plan.place === "auth" || plan.place === "implicit") await this.#playControl(plan);
      else await this.#playData(plan);
    } catch (error) {
      await this.#leave();
      throw error;
    }
    return plan.isGood && plan.version !== undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }

  async #leave(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.[Symbol.asyncDispose]();
  }

  async #playControl(plan: HandoverCase): Promise<void> {
    const { place, isCoalesced, filler } = plan;
    const socket = await dial(place === "auth" ? this.#server.port : this.#server.implicitPort);
    try {
      if (place === "implicit") return await this.#secureControl(socket, plan, new Uint8Array(0), "220 ");
      const reader = new SocketReader(socket, DEADLINE_MS);
      await reader.line("the greeting");
      if (isCoalesced) {
        socket.write("AUTH TLS\r\n\x16\x03\x01");
        await reader.ended("the end of a client that goes on in clear behind AUTH");
        return;
      }
      socket.write(`${"HELP\r\n".repeat(filler)}AUTH TLS\r\n`);
      if (filler > 0) return await this.#secureBehindFiller(socket, reader, plan);
      await skipTo234(reader);
      reader.detach();
      await this.#secureControl(socket, plan, reader.pending, undefined);
    } finally {
      await gone(socket);
    }
  }

  /** The ClientHello is on its way before a reply is taken. */
  async #secureBehindFiller(socket: Socket, reader: SocketReader, plan: HandoverCase): Promise<void> {
    await reader.line("the first reply"); // all commands are with the server
    socket.pause();
    const ended = serverEnd(socket);
    ended.catch(() => {}); // of a good one nobody waits for it
    if (plan.junk !== undefined) {
      await new PieceSender(socket, plan.plan).send(plan.junk);
      socket.resume();
      return await ended;
    }
    const stream = new CutStream(socket, plan.plan);
    const engine = startTls(stream, plan);
    await pause(0);
    await stream.idle;
    await pause(plan.leadMs);
    socket.resume();
    if (!plan.isGood) return await ended;
    await skipTo234(reader);
    reader.detach();
    stream.begin(reader.pending);
    await finishControl(engine, undefined);
  }

  async #secureControl(socket: Socket, plan: HandoverCase, first: Uint8Array, greeting: string | undefined) {
    if (plan.junk !== undefined) return await sendJunk(socket, plan);
    const stream = new CutStream(socket, plan.plan);
    const engine = startTls(stream, plan);
    stream.begin(first);
    if (plan.isGood) return await finishControl(engine, greeting);
    await serverEnd(socket);
  }

  async #playData(plan: HandoverCase): Promise<void> {
    this.#session ??= await this.#login();
    const session = this.#session;
    const isProtected = plan.version !== undefined;
    if (isProtected !== this.#isProtected) {
      await session.expect(200, `PROT ${isProtected ? "P" : "C"}`);
      this.#isProtected = isProtected;
    }
    const path = plan.verb === "STOR" ? `/${this.#name}` : `/${plan.size}`;
    const line = plan.verb === "LIST" ? "LIST" : `${plan.verb} ${path}`;
    const socket = plan.place === "passive" ? await this.#passive(session) : await this.#active(session);
    try {
      const code = await this.#playTransfer(session, { socket, line, plan });
      if (plan.isGood && code !== undefined) assertEquals(code, 226, line);
      await session.expect(200, "NOOP");
    } finally {
      await gone(socket);
    }
    if (plan.isGood && plan.verb === "STOR" && plan.moment !== "never") {
      assertEquals(await Deno.readFile(`${this.#server.home}/${this.#name}`), contentOf(plan.size));
    }
  }

  /** Sends command and bytes in the order of the plan; gives the code of the final reply, if there is a command. */
  async #playTransfer(
    session: RawClient,
    { socket, line, plan }: { readonly socket: Socket; readonly line: string; readonly plan: HandoverCase },
  ): Promise<number | undefined> {
    if (plan.moment === "never") return void await knock(socket, plan);
    let reply = plan.moment === "after" ? await session.command(line) : undefined;
    const moved = move(socket, plan).then(() => undefined, (error: unknown) => error);
    if (plan.moment === "before") await pause(plan.leadMs);
    reply ??= await session.command(line);
    if (reply.code < 200) reply = await session.readReply(line);
    if (plan.isGood && reply.code !== 226) throw new Error(`"${reply.text}" to "${line}"`);
    const failure = await moved;
    if (plan.isGood && failure !== undefined) throw failure;
    return reply.code;
  }

  async #login(): Promise<RawClient> {
    const session = await this.#server.login();
    this.#isProtected = true;
    await session.expect(200, "TYPE I");
    return session;
  }

  async #passive(session: RawClient): Promise<Socket> {
    const { text } = await session.expect(229, "EPSV");
    return await dial(Number(/\|\|\|(\d+)\|/.exec(text)?.[1]));
  }

  async #active(session: RawClient): Promise<Socket> {
    using listener = await Listener.start();
    const accepted = listener.accepted;
    await session.expect(200, `EPRT |1|${HOST}|${listener.port}|`);
    return await accepted;
  }
}

/** Takes one connection. */
class Listener implements Disposable {
  readonly #server: Server;
  readonly accepted: Promise<Socket>;

  private constructor(server: Server) {
    this.#server = server;
    this.accepted = new Promise((resolve) => server.once("connection", (socket) => resolve(quiet(socket))));
  }

  static async start(): Promise<Listener> {
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
    await new Promise<void>((resolve) => server.listen({ host: HOST, port: 0 }, resolve));
    return new Listener(server);
  }

  get port(): number {
    return (this.#server.address() as { readonly port: number }).port;
  }

  [Symbol.dispose](): void {
    this.#server.close();
  }
}

async function dial(port: number): Promise<Socket> {
  const socket = connect({ host: HOST, port, allowHalfOpen: true, noDelay: true });
  await opened(socket, "connect", `a connection to port ${port}`, DEADLINE_MS);
  return quiet(socket);
}

function quiet(socket: Socket): Socket {
  socket.on("error", () => {}); // told as the end
  return socket;
}

/** A client's TLS engine, which starts its handshake. */
interface Engine {
  readonly tls: TLSSocket;
  readonly secured: Promise<void>;
}

function startTls(stream: CutStream, { version = "TLSv1.3", alpn }: HandoverCase): Engine {
  const tls = connectTls({
    socket: stream as unknown as Socket,
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ALPNProtocols: [...alpn],
  });
  tls.on("error", () => {}); // told as the end
  const secured = opened(tls, "secureConnect", "a handshake", DEADLINE_MS);
  secured.catch(() => {}); // that of a broken one is no failure
  return { tls, secured };
}

async function skipTo234(reader: SocketReader): Promise<void> {
  const decoder = new TextDecoder();
  for (let line = ""; !line.startsWith("234 ");) line = decoder.decode(await reader.line("the reply to AUTH"));
}

/** Waits for the handshake and talks. */
async function finishControl({ tls, secured }: Engine, greeting: string | undefined): Promise<void> {
  await secured;
  const reader = new SocketReader(tls, DEADLINE_MS);
  const line = async (what: string) => new TextDecoder().decode(await reader.line(what));
  if (greeting !== undefined) assertEquals((await line("the greeting")).slice(0, greeting.length), greeting);
  tls.write("NOOP\r\n");
  assertEquals((await line("the reply to NOOP")).slice(0, 4), "200 ");
}

/** The data connection of a case, from its first byte to the server's end. */
async function move(socket: Socket, plan: HandoverCase): Promise<void> {
  if (plan.version === undefined) return await moveClear(socket, plan);
  if (plan.junk !== undefined) return await sendJunk(socket, plan);
  const stream = new CutStream(socket, plan.plan);
  const engine = startTls(stream, plan);
  stream.begin(new Uint8Array(0));
  if (!plan.isGood) return await serverEnd(socket);
  await engine.secured;
  await moveContent(engine.tls, plan);
}

/** Begins a data connection that no command follows. */
async function knock(socket: Socket, plan: HandoverCase): Promise<void> {
  if (plan.version === undefined || plan.junk !== undefined) {
    await new PieceSender(socket, plan.plan).send(plan.junk ?? contentOf(plan.size));
  } else {
    const stream = new CutStream(socket, plan.plan);
    const engine = startTls(stream, plan);
    stream.begin(new Uint8Array(0));
    if (plan.isGood) await engine.secured;
    await stream.idle;
  }
  await pause(plan.leadMs);
}

async function moveClear(socket: Socket, plan: HandoverCase): Promise<void> {
  if (plan.verb !== "STOR") return await moveContent(socket, plan);
  const reader = new SocketReader(socket, DEADLINE_MS);
  socket.resume();
  await new PieceSender(socket, plan.plan).send(contentOf(plan.size));
  socket.end();
  await reader.ended("the server's end of an upload");
}

async function moveContent(socket: Socket | TLSSocket, plan: HandoverCase): Promise<void> {
  const reader = new SocketReader(socket, DEADLINE_MS);
  if (plan.verb === "STOR") {
    if (plan.size > 0) socket.write(contentOf(plan.size));
    socket.end();
    await reader.ended("the server's end of an upload");
    return;
  }
  socket.resume();
  const bytes = await reader.all("the end of a download");
  if (plan.verb === "RETR") assertEquals(bytes, contentOf(plan.size));
  socket.end();
}

async function sendJunk(socket: Socket, plan: HandoverCase): Promise<void> {
  const ended = serverEnd(socket);
  socket.resume();
  if (plan.junk !== undefined) await new PieceSender(socket, plan.plan).send(plan.junk);
  await ended;
}

/** Waits for the server's end; it may wait for more until its deadline. */
function serverEnd(socket: Socket): Promise<void> {
  const ended = new Promise<void>((resolve) => socket.once("end", resolve).once("close", () => resolve()));
  return withDeadline(ended, "the server's end of a broken handshake", DEADLINE_MS);
}

async function gone(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.destroy();
  await withDeadline(closed, "a socket to close", DEADLINE_MS);
}
