/**
 * Sessions of mutated command lines.
 *
 * @module
 */

import type { MeasuredServer } from "../helpers/measured_server.ts";
import { RawClient, type RawReply } from "../helpers/raw_client.ts";
import { USER } from "../helpers/test_server.ts";
import { concatenated, mutatedLine } from "./mutation.ts";
import type { Random } from "./random.ts";

const HOST = "127.0.0.1";
/** Longer than any wait of the server. */
const DEADLINE_MS = 30_000;
const BATCH_LINES = 16;
const BATCHES = 64;

/** Goes before each batch: lines of the one before may have changed all that. */
const LOGIN = [`USER ${USER.name}`, `PASS ${USER.password}`, "PBSZ 0", "PROT P", "CWD /", ""].join("\r\n");

/** Counts of what was sent and answered. */
export interface LineCounts {
  lines: number;
  sessions: number;
  replies: number;
  dataConnections: number;
}

/** Sends lines in sessions, one after the other, until `more()` says no. */
export async function fuzzLines(
  server: MeasuredServer,
  random: Random,
  options: { readonly counts: LineCounts; readonly more: () => boolean },
): Promise<void> {
  while (options.more()) {
    options.counts.sessions++;
    await using session = await FuzzSession.connect(server, random, options.counts);
    for (let batch = 0; batch < BATCHES && options.more(); batch++) {
      if (!await session.playBatch()) break;
    }
    await session.leave();
  }
}

class FuzzSession implements AsyncDisposable {
  readonly #client: RawClient;
  readonly #random: Random;
  readonly #counts: LineCounts;
  readonly #logsIn: boolean;
  readonly #connections = new Set<Promise<void>>();
  #batches = 0;

  private constructor(client: RawClient, random: Random, counts: LineCounts) {
    this.#client = client;
    this.#random = random;
    this.#counts = counts;
    this.#logsIn = random.oneIn(2);
  }

  /** Connects, in clear or over TLS. */
  static async connect(server: MeasuredServer, random: Random, counts: LineCounts): Promise<FuzzSession> {
    const client = await RawClient.connect({ host: HOST, port: server.port, deadlineMs: DEADLINE_MS });
    await client.readReply("connecting");
    if (random.oneIn(2)) await client.startTls();
    return new FuzzSession(client, random, counts);
  }

  /** Sends some lines at once and reads the replies; returns whether the session goes on. */
  async playBatch(): Promise<boolean> {
    const lines = Array.from({ length: BATCH_LINES }, () => mutatedLine(this.#random));
    const before = this.#logsIn ? LOGIN + (this.#random.oneIn(3) ? "EPSV\r\n" : "") : "";
    const mark = `Q${this.#batches++}`.replace(/\d/g, (digit) => "ABCDEFGHIJ"[Number(digit)] ?? "");
    const batch = concatenated([encode(before), ...lines, encode(`\r\n${mark}\r\n`)]);
    try {
      await this.#client.send(batch);
      this.#counts.lines += lines.length;
      await this.#readUpTo(mark);
      return true;
    } catch (error) {
      const { message } = error as Error;
      // The others say that the session has ended, as QUIT and much else may end it.
      if (/^(?:Waited|Received)/.test(message)) throw new Error(`${message}\nbatch: ${batch.toHex()}`);
      return false;
    }
  }

  /** Ends the session in one of the ways in which clients do. */
  async leave(): Promise<void> {
    await Promise.all(this.#connections);
    if (this.#random.oneIn(3)) await this.#client.send("LIST\r\nPASV\r\nQUIT\r\n").catch(() => {}); // it may have ended
    else if (this.#random.oneIn(2)) await this.#client.reset();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#client[Symbol.asyncDispose]();
  }

  async #readUpTo(mark: string): Promise<void> {
    for (;;) {
      const reply = await this.#client.readReply(mark);
      this.#counts.replies++;
      if (reply.text === `500 Command "${mark}" not understood.`) return;
      const port = passivePort(reply);
      if (port !== undefined) this.#visit(port);
    }
  }

  /** Does something with a passive port, beside the dialogue. */
  #visit(port: number): void {
    if (this.#random.oneIn(3)) return;
    const bytes = this.#random.bytes(this.#random.below(2000));
    const visit = sendAndClose(port, bytes).then(() => {
      this.#counts.dataConnections++;
      this.#connections.delete(visit);
    });
    this.#connections.add(visit);
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function passivePort({ code, text }: RawReply): number | undefined {
  if (code === 229) return Number(/\|(\d+)\|\)/.exec(text)?.[1]);
  if (code !== 227) return undefined;
  const [, high, low] = /,(\d+),(\d+)\)/.exec(text) ?? [];
  return Number(high) * 256 + Number(low);
}

async function sendAndClose(port: number, bytes: Uint8Array): Promise<void> {
  try {
    using connection = await Deno.connect({ hostname: HOST, port });
    await connection.write(bytes);
    await connection.closeWrite();
    while (await connection.read(new Uint8Array(4096)) !== null);
  } catch {
    // The port is closed by now, or the connection was refused: what the server does about it is told on the other one.
  }
}
