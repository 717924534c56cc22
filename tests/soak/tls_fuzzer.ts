/**
 * Handshakes and records that break off, or are none.
 *
 * @module
 */

import { connect as connectTls } from "node:tls";
import type { MeasuredServer } from "../helpers/measured_server.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { concatenated, mutated, randomRecord } from "./mutation.ts";
import type { Random } from "./random.ts";

const HOST = "127.0.0.1";
const DEADLINE_MS = 30_000;

/** The first flight of a client of the runtime, for the newest version or for TLS 1.2. */
export async function recordHello(maxVersion: "TLSv1.2" | "TLSv1.3"): Promise<Uint8Array> {
  using listener = Deno.listen({ hostname: HOST, port: 0 });
  const client = connectTls({ host: HOST, port: listener.addr.port, maxVersion, ALPNProtocols: ["ftp"] });
  client.on("error", () => {}); // nobody answers it
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  using connection = await listener.accept();
  const buffer = new Uint8Array(16_384);
  const length = await connection.read(buffer) ?? 0;
  client.destroy();
  await closed;
  return buffer.slice(0, length);
}

/** Plays cases one after the other until `more()` says no; tells how many. */
export async function fuzzTls(
  server: MeasuredServer,
  random: Random,
  options: { readonly hellos: readonly Uint8Array[]; readonly more: () => boolean },
): Promise<number> {
  let cases = 0;
  for (; options.more(); cases++) {
    const bytes = flight(random, options.hellos);
    switch (random.below(4)) {
      case 0:
        await sendTo(server.implicitPort, bytes, random);
        break;
      case 1:
        await sendBehindAuth(server, bytes, random);
        break;
      case 2:
        await sendOnDataConnection(server, bytes, random);
        break;
      default:
        await sendInsideSession(server, bytes, random);
    }
  }
  return cases;
}

/** What is sent in place of a client's first flight. */
function flight(random: Random, hellos: readonly Uint8Array[]): Uint8Array {
  const hello = random.pick(hellos);
  switch (random.below(5)) {
    case 0:
      return mutated(hello, random);
    case 1:
      return hello.subarray(0, random.below(hello.length));
    case 2:
      return concatenated([hello, randomRecord(random), randomRecord(random)]);
    case 3:
      return concatenated(Array.from({ length: 1 + random.below(20) }, () => randomRecord(random)));
    default:
      return random.bytes(random.below(600));
  }
}

async function sendTo(port: number, bytes: Uint8Array, random: Random): Promise<void> {
  using connection = await Deno.connect({ hostname: HOST, port });
  await sendPieces(connection, bytes, random);
}

async function sendBehindAuth(server: MeasuredServer, bytes: Uint8Array, random: Random): Promise<void> {
  using connection = await Deno.connect({ hostname: HOST, port: server.port });
  const buffer = new Uint8Array(1024);
  await connection.read(buffer); // 220
  await connection.write(new TextEncoder().encode("AUTH TLS\r\n"));
  await connection.read(buffer); // 234
  await sendPieces(connection, bytes, random);
}

async function sendOnDataConnection(server: MeasuredServer, bytes: Uint8Array, random: Random): Promise<void> {
  await using client = await server.login();
  const { text } = await client.expect(229, "EPSV");
  const port = Number(/\|(\d+)\|\)/.exec(text)?.[1]);
  using connection = await Deno.connect({ hostname: HOST, port }).catch(() => undefined);
  if (connection === undefined) return; // its time was over
  const line = random.pick(["RETR /file", "STOR /new", "LIST", "APPE /new"]);
  const begun = await client.command(line);
  if (begun.code !== 150) return; // the file is what mutated lines have made of it
  await sendPieces(connection, bytes, random);
  const { code } = await client.readReply(line);
  if (code < 400) throw new Error(`${code} to ${line} over no TLS: ${bytes.toHex()}`);
  await client.expect(200, "NOOP");
}

/** Behind a good handshake, below TLS. */
async function sendInsideSession(server: MeasuredServer, bytes: Uint8Array, random: Random): Promise<void> {
  await using relay = new InsertingRelay(server.port);
  await using client = await RawClient.connect({ host: HOST, port: relay.port, deadlineMs: DEADLINE_MS });
  await client.readReply("connecting");
  await client.startTls();
  await client.expect(200, "NOOP");
  relay.insert(bytes);
  if (random.oneIn(2)) await client.send("NOOP\r\n").catch(() => {}); // it may have ended
  await relay.ended;
}

/** Sends bytes in a few pieces, and ends the connection in one of three ways. */
async function sendPieces(connection: Deno.TcpConn, bytes: Uint8Array, random: Random): Promise<void> {
  try {
    for (let rest = bytes; rest.length > 0;) {
      const piece = rest.subarray(0, random.oneIn(4) ? 1 + random.below(40) : rest.length);
      rest = rest.subarray(await connection.write(piece));
    }
    if (random.oneIn(3)) return connection.close(); // by RST where the server has answered
    await connection.closeWrite();
    while (await connection.read(new Uint8Array(4096)) !== null);
  } catch {
    // The server has had enough.
  }
}

/** A way to the server on which bytes can be put between those of the client. */
class InsertingRelay implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: HOST, port: 0 });
  readonly #running: Promise<void>;
  #server: Deno.TcpConn | undefined;
  /** Resolves when the server has ended the connection. */
  readonly ended: Promise<void>;

  constructor(port: number) {
    const ended = Promise.withResolvers<void>();
    this.ended = ended.promise;
    this.#running = this.#run(port).catch(() => {}).finally(ended.resolve); // one of the ends is gone
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Sends bytes as if they were the client's, and then nothing more of anybody. */
  insert(bytes: Uint8Array): void {
    const server = this.#server;
    server?.write(bytes).then(() => server.closeWrite()).catch(() => {}); // it has ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#running;
  }

  async #run(port: number): Promise<void> {
    using client = await this.#listener.accept();
    using server = await Deno.connect({ hostname: HOST, port });
    this.#server = server;
    await Promise.race([pump(client, server), pump(server, client)]);
  }
}

async function pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    for (let rest = buffer.subarray(0, count); rest.length > 0;) rest = rest.subarray(await to.write(rest));
  }
}
