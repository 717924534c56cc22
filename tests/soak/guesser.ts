/**
 * A program that guesses passwords in clear from many addresses of this host, and cuts its guesses short in every way, so as
 * to learn whether they were right and not be counted: `guesser.ts PORT ADDRESSES GUESSES SEED`. It prints a
 * {@linkcode GuesserReport} in one line of JSON.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { Random } from "./random.ts";
import { NAMES, RIGHT_PASSWORD } from "./guessed_names.ts";

/** What came of it. */
export interface GuesserReport {
  /** PASS commands that were sent. */
  readonly guesses: number;
  /** How often each way was taken. */
  readonly ways: Readonly<Record<string, number>>;
  /** By the name that was guessed: how often each reply to PASS was received. */
  readonly replies: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** By address: the name that was guessed, and the code of the reply to the right password at the end, or of the refusal. */
  readonly ends: Readonly<Record<string, { readonly name: string; readonly code: number }>>;
}

/** A guess takes some of this time on the server. */
const MAX_WAIT_MS = 40;
const ADDRESSES_AT_ONCE = 6;
const CONNECTIONS_AT_ONCE = 14;

/** One connection. Its waits end with it. */
class Client {
  readonly #socket: Socket;
  #received = "";
  #changed = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(port: number, localAddress: string) {
    this.#socket = connect({ host: "127.0.0.1", port, localAddress });
    this.#socket.on("data", (bytes: Uint8Array) => this.#take(new TextDecoder().decode(bytes)));
    this.#socket.on("error", () => {}); // and then it closes
    this.#socket.on("close", () => {
      this.#isClosed = true;
      this.#take("");
    });
  }

  /** The next reply; empty when the connection has ended. */
  async reply(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 2);
        return line;
      }
      if (this.#isClosed) return "";
      await this.#changed.promise;
    }
  }

  send(text: string): void {
    if (!this.#isClosed) this.#socket.write(text);
  }

  finish(): void {
    if (!this.#isClosed) this.#socket.end();
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#received += text;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}

/** Guesses from one address at one name. */
class Guesser {
  readonly #report: MutableReport;
  readonly #random: Random;
  readonly #port: number;
  readonly #address: string;
  readonly name: string;
  sent = 0;

  constructor(options: { report: MutableReport; random: Random; port: number; address: string; name: string }) {
    this.#report = options.report;
    this.#random = options.random;
    this.#port = options.port;
    this.#address = options.address;
    this.name = options.name;
  }

  get random(): Random {
    return this.#random;
  }

  /** Connects; `undefined` when the address is refused. */
  async connect(): Promise<Client | undefined> {
    const client = new Client(this.#port, this.#address);
    const greeting = await client.reply();
    if (greeting.startsWith("220")) return client;
    client.close();
    return undefined;
  }

  /** The lines of some guesses, with others after each. */
  lines(count: number, after = ""): string {
    return Array.from({ length: count }, () => `USER ${this.name}\r\nPASS wrong${this.sent++}\r\n${after}`).join("");
  }

  async note(client: Client): Promise<string> {
    const reply = await client.reply();
    const known = this.#report.replies[this.name] ??= {};
    if (reply !== "" && !reply.startsWith("331")) known[reply] = (known[reply] ?? 0) + 1;
    return reply;
  }

  /** What the right password is answered by, at the end of all guesses. */
  async end(): Promise<number> {
    const client = await this.connect();
    if (client === undefined) return 421;
    client.send(`USER ${this.name}\r\nPASS ${RIGHT_PASSWORD}\r\n`);
    await client.reply();
    const reply = await client.reply();
    client.close();
    return Number(reply.slice(0, 3));
  }
}

type Way = (guesser: Guesser, client: Client) => Promise<void>;

/** Ways to guess: from the most honest one to those that hear nothing. */
const WAYS: Readonly<Record<string, Way>> = {
  async "waits for the reply"(guesser, client) {
    client.send(guesser.lines(1));
    await guesser.note(client);
    await guesser.note(client);
  },
  async "leaves before PASS"(guesser, client) {
    client.send(`USER ${guesser.name}\r\n`);
    await guesser.note(client);
  },
  async "leaves in the middle of PASS"(guesser, client) {
    client.send(`USER ${guesser.name}\r\nPASS wro`);
    await guesser.note(client);
    client.reset();
  },
  async "resets with PASS"(guesser, client) {
    client.send(guesser.lines(1));
    await guesser.note(client);
    client.reset();
  },
  async "resets while the password is checked"(guesser, client) {
    client.send(guesser.lines(1));
    await guesser.note(client);
    await pause(guesser.random.below(MAX_WAIT_MS));
    client.reset();
  },
  async "ends its side with PASS"(guesser, client) {
    client.send(guesser.lines(1));
    client.finish();
    await guesser.note(client);
    await guesser.note(client);
  },
  async "sends QUIT behind PASS"(guesser, client) {
    client.send(guesser.lines(1, "QUIT\r\n"));
    while (await guesser.note(client) !== "");
  },
  async "sends REIN, USER and PASS behind PASS"(guesser, client) {
    client.send(`${guesser.lines(3, "REIN\r\n")}QUIT\r\n`);
    while (await guesser.note(client) !== "");
  },
  async "sends several guesses at once, and resets soon"(guesser, client) {
    client.send(guesser.lines(5));
    await pause(guesser.random.below(3 * MAX_WAIT_MS));
    client.reset();
  },
  async "guesses on many connections, and resets them soon"(guesser, client) {
    const others = await Promise.all(Array.from({ length: CONNECTIONS_AT_ONCE - 1 }, () => guesser.connect()));
    const clients = [client, ...others.filter((other) => other !== undefined)];
    for (const each of clients) each.send(guesser.lines(1));
    await pause(guesser.random.below(MAX_WAIT_MS));
    for (const each of clients) each.reset();
  },
};

interface MutableReport {
  guesses: number;
  readonly ways: Record<string, number>;
  readonly replies: Record<string, Record<string, number>>;
  readonly ends: Record<string, { name: string; code: number }>;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function guessFrom(guesser: Guesser, guesses: number, report: MutableReport): Promise<void> {
  while (guesser.sent < guesses) {
    const way = guesser.random.pick(Object.keys(WAYS));
    report.ways[way] = (report.ways[way] ?? 0) + 1;
    const client = await guesser.connect();
    // Who is refused has made a guess that nobody has looked at.
    if (client === undefined) guesser.sent++;
    else await WAYS[way]?.(guesser, client);
    client?.close();
  }
  report.guesses += guesser.sent;
}

async function main([port = 0, addresses = 1, guesses = 30, seed = 1]: readonly number[]): Promise<void> {
  const report: MutableReport = { guesses: 0, ways: {}, replies: {}, ends: {} };
  const waiting = Array.from({ length: addresses }, (_, index) => index);
  const work = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) {
      const address = `127.1.${index >> 8}.${index & 255}`;
      const name = NAMES[index % NAMES.length] ?? "";
      const guesser = new Guesser({ report, random: new Random(seed + index), port, address, name });
      await guessFrom(guesser, guesses, report);
      report.ends[address] = { name, code: await guesser.end() };
    }
  };
  await Promise.all(Array.from({ length: ADDRESSES_AT_ONCE }, work));
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(report satisfies GuesserReport)}\n`));
}

if (import.meta.main) await main(Deno.args.map(Number));
