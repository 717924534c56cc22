/**
 * Attacks that use up what a server has, and what it does to others meanwhile.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { delay } from "../../lib/deadline.ts";
import { MeasuredServer, type MeasuredServerOptions } from "../helpers/measured_server.ts";
import { MORE_THAN_KERNELS_HOLD, stallDownload } from "../helpers/dialogue.ts";
import { RawClient } from "../helpers/raw_client.ts";
import type { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { USER } from "../helpers/test_server.ts";
import { assertNoMoreTimers } from "./holdings.ts";

const HOST = "127.0.0.1";
const LINE_FEED = 0x0a;
const MIB = 1024 * 1024;

/** The first bytes of a ClientHello; its record says that 512 follow. */
const HALF_HELLO = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 42, 42, 42);

/** Time between two bytes of those who are slow, in milliseconds. */
const TRICKLE_MS = 300;

/** An attack by a number of clients. */
export interface Attack {
  readonly name: string;
  readonly clients: number;
  /** What the server may grow by. */
  readonly mostBytes: number;
  readonly server: MeasuredServerOptions;
  /** Whether others can log in meanwhile; if not, those can go on who have done so before. @default {true} */
  readonly admitsOthers?: boolean;
  /** Puts into the home what is needed. */
  prepare?(home: string): Promise<void>;
  /** Attacks; resolves when all clients are where they wanted to be, with what is to be awaited before all is freed. */
  begin(server: MeasuredServer, clients: number, stack: AsyncDisposableStack): Promise<void | Attacking>;
}

/** An attack that goes on by itself. */
export interface Attacking {
  /** Settles when it is over. */
  readonly over: Promise<unknown>;
}

/** What came of an attack; memory is resident and in bytes, times are in milliseconds. */
export interface Figures {
  readonly bytesBefore: number;
  readonly bytesAtMost: number;
  readonly bytesAfter: number;
  /** What a session that stood before took for each of its commands, from the first step of the attack on. */
  readonly commandMs: readonly number[];
  /** What others took from connecting to QUIT, with an upload, a download and a listing between. */
  readonly visitMs: readonly number[];
  /** From the attack's last step until nothing of it was left. */
  readonly freedMs: number;
}

/** The last of many passwords is checked late on a slow machine; what counts is that they are checked two at a time. */
const GUESS_DEADLINE_MS = 300_000;

/** What ends an attack, in seconds; others have to be faster, however busy the machine is. */
const LOGIN_S = 10;
const HANDSHAKE_S = 8;

/** How many others come meanwhile. */
const VISITS = 10;
/** Pause of the session that stood before, between two commands. */
const PAUSE_MS = 100;

/** Starts a server, attacks it, lets others come, and waits until the attack has been got rid of. */
export async function suffer(attack: Attack): Promise<Figures> {
  await using server = await MeasuredServer.start(attack.server);
  await attack.prepare?.(server.home);
  await visitOften(server); // What is made once, is made from here on.
  const before = await server.left();
  await using stack = new AsyncDisposableStack();
  const user = stack.use(new Asker(await server.login()));
  const attacking = await attack.begin(server, attack.clients, stack);
  const begunAt = performance.now();
  const visitMs = attack.admitsOthers === false ? await beTurnedAway(server) : await visitOften(server);
  const commandMs = await user.leave();
  await attacking?.over;
  const after = await server.settled();
  const freedMs = performance.now() - begunAt;
  const { peak: bytesAtMost } = await server.memory();
  assertEquals(after.descriptors, before.descriptors);
  assertNoMoreTimers(before, after);
  assertEquals(server.internalErrors, []);
  return { bytesBefore: before.memoryBytes, bytesAtMost, bytesAfter: after.memoryBytes, commandMs, visitMs, freedMs };
}

/** A session that goes on whatever happens to others. */
class Asker implements AsyncDisposable {
  readonly #client: RawClient;
  readonly #asking: Promise<number[]>;
  readonly #leaving = new AbortController();

  constructor(client: RawClient) {
    this.#client = client;
    this.#asking = this.#ask();
    this.#asking.catch(() => {}); // leave() tells
  }

  /** Moves files and leaves; tells how long each command took. */
  async leave(): Promise<number[]> {
    this.#leaving.abort();
    const commandMs = await this.#asking;
    await moveFiles(this.#client);
    await this.#client.expect(221, "QUIT");
    return commandMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leaving.abort();
    await this.#asking.catch(() => {});
    await this.#client[Symbol.asyncDispose]();
  }

  async #ask(): Promise<number[]> {
    const commandMs: number[] = [];
    do {
      const askedAt = performance.now();
      await this.#client.expect(200, "NOOP");
      commandMs.push(performance.now() - askedAt);
      await delay(PAUSE_MS, this.#leaving.signal).catch(() => {}); // leaving
    } while (!this.#leaving.signal.aborted);
    return commandMs;
  }
}

/** Clients as they should be, one after the other; tells how long each took. */
async function visitOften(server: MeasuredServer): Promise<number[]> {
  const visitMs: number[] = [];
  for (let count = 0; count < VISITS; count++) {
    const cameAt = performance.now();
    await using client = await server.login();
    await moveFiles(client);
    await client.expect(221, "QUIT");
    visitMs.push(performance.now() - cameAt);
  }
  return visitMs;
}

/** A client for whom there is no place; tells of no visit. */
async function beTurnedAway(server: MeasuredServer): Promise<[]> {
  await using client = await RawClient.connect({ host: HOST, port: server.port });
  assertEquals((await client.readReply("connecting")).code, 421);
  return [];
}

async function moveFiles(client: RawClient): Promise<void> {
  await client.expect(200, "TYPE I");
  const content = new Uint8Array(100_000).fill(42);
  await client.store("/visitor", content);
  assertEquals(await client.retrieve("/visitor"), content);
  assertEquals((await client.list("NLST /visitor")).trim(), "/visitor");
}

/** Hash of the user's password with a quarter of the default cost: 32 MiB. */
const HASH = "$scrypt$ln=15,r=8,p=1$1omRmZAxuhjyAbPfJt1R4w$1ZMQ44xw7nlqo8TE4i9m/JHU63M4K/XFLU03IDYgsiQ";
const HASH_BYTES = 32 * MIB;
/** How many hashes are computed at once. */
const HASHES_AT_ONCE = 2;

/** Attacks by whoever can connect. */
export const ATTACKS_OF_STRANGERS: readonly Attack[] = [
  {
    name: "connections that log in slowly",
    clients: 1000,
    mostBytes: 128 * MIB,
    server: { configuration: `limits: { connections: 4000 }\ntimeouts: { login: ${LOGIN_S} }` },
    begin: trickle,
  },
  {
    name: "connections that log in slowly, more than their share",
    clients: 1000,
    mostBytes: 128 * MIB,
    admitsOthers: false,
    server: { configuration: "limits: { connections: 512 }\ntimeouts: { login: 4 }" },
    begin: trickle,
  },
  {
    name: "handshakes that stand still",
    clients: 300,
    mostBytes: 128 * MIB,
    server: { configuration: `limits: { connections: 2000 }\ntimeouts: { handshake: ${HANDSHAKE_S} }` },
    begin: haltHandshakes,
  },
  {
    name: "wrong passwords at once",
    clients: 60,
    mostBytes: HASHES_AT_ONCE * HASH_BYTES + 64 * MIB,
    server: {
      users: `users: [{ name: ${USER.name}, password: "${HASH}", home: home, permissions: elradfmwMT }]`,
      configuration: "tls: { policy: optional }\ntimeouts: { failedLogin: 0 }\nban: { failures: 0 }",
    },
    begin: guess,
  },
];

/** Attacks by users. */
export const ATTACKS_OF_USERS: readonly Attack[] = [
  {
    name: "downloads that are not read",
    clients: 40,
    mostBytes: 192 * MIB,
    server: { configuration: "tls: { policy: optional }\ntimeouts: { data: 3 }" },
    prepare: async (home) => {
      await Deno.writeTextFile(`${home}/large`, "");
      await Deno.truncate(`${home}/large`, 2 * MORE_THAN_KERNELS_HOLD);
    },
    begin: stopReading,
  },
  {
    name: "listings of 50,000 entries",
    clients: 10,
    mostBytes: 256 * MIB,
    server: {},
    prepare: async (home) => {
      await Deno.mkdir(`${home}/many`);
      for (let index = 0; index < 50_000; index++) Deno.writeFileSync(`${home}/many/file ${index}`, new Uint8Array(0));
    },
    begin: listMany,
  },
  {
    name: "passive ports that nobody connects to",
    clients: 100,
    mostBytes: 128 * MIB,
    server: { configuration: "timeouts: { passive: 2, idle: 4 }" },
    begin: abandonPorts,
  },
];

/** Connects, and sends a command byte by byte for as long as it may. */
async function trickle(server: MeasuredServer, clients: number, stack: AsyncDisposableStack): Promise<void> {
  const connections = await connectAll(server.port, clients, stack);
  const timer = setInterval(() => {
    for (const connection of connections) connection.write(Uint8Array.of(0x41)).catch(() => {}); // closed by now
  }, TRICKLE_MS);
  stack.defer(() => clearInterval(timer));
}

/** Half of them on the implicit port, half behind AUTH. */
async function haltHandshakes(server: MeasuredServer, clients: number, stack: AsyncDisposableStack): Promise<void> {
  const implicit = await connectAll(server.implicitPort, clients / 2, stack);
  for (const connection of implicit) await connection.write(HALF_HELLO);
  for (let count = 0; count < clients / 2; count++) {
    const client = stack.use(await RawClient.connect({ host: HOST, port: server.port }));
    await client.readReply("connecting");
    await client.expect(234, "AUTH TLS");
    await client.send(HALF_HELLO);
  }
}

async function connectAll(port: number, clients: number, stack: AsyncDisposableStack): Promise<Deno.TcpConn[]> {
  const connections: Deno.TcpConn[] = [];
  for (let count = 0; count < clients; count++) {
    const connection = await Deno.connect({ hostname: HOST, port });
    stack.defer(() => connection.close());
    connections.push(connection);
  }
  return connections;
}

/** Half of them over TLS, half in clear. */
async function stopReading(server: MeasuredServer, clients: number, stack: AsyncDisposableStack): Promise<void> {
  for (let count = 0; count < clients; count++) {
    const client = stack.use(count % 2 === 0 ? await server.login() : await loginInClear(server));
    await client.expect(200, "TYPE I");
    stack.use(await stallDownload(client, "RETR /large"));
  }
}

async function loginInClear({ port }: MeasuredServer): Promise<RawClient> {
  const client = await RawClient.connect({ host: HOST, port });
  await client.readReply("connecting");
  await client.login(USER.name, USER.password);
  return client;
}

/** All at once; half of them go as soon as it has begun. */
async function listMany(server: MeasuredServer, clients: number, stack: AsyncDisposableStack): Promise<void> {
  for (let count = 0; count < clients; count++) {
    const client = stack.use(await server.login());
    const data = stack.use(await client.passive());
    await client.expect(150, "MLSD /many");
    await data.secure();
    const ended = count % 2 === 0 ? readListing(client, data) : client.reset();
    ended.catch(() => {}); // is told when the stack is disposed of
    stack.defer(() => ended);
  }
}

async function readListing(client: RawClient, data: RawDataConnection): Promise<void> {
  const listing = await data.readAll();
  assertEquals(listing.filter((byte) => byte === LINE_FEED).length, 50_001); // the first is the folder itself
  assertEquals((await client.readReply("MLSD")).code, 226);
  await client.expect(221, "QUIT");
}

/** Each opens one port after the other, and leaves the last one open. */
async function abandonPorts(server: MeasuredServer, clients: number, stack: AsyncDisposableStack): Promise<void> {
  for (let count = 0; count < clients; count++) {
    const client = stack.use(await server.login());
    for (let times = 0; times < 10; times++) await client.expect(229, "EPSV");
  }
}

/** Each gives a wrong password, and goes when that was refused. */
async function guess(server: MeasuredServer, clients: number, stack: AsyncDisposableStack): Promise<Attacking> {
  const refused: Promise<void>[] = [];
  for (let count = 0; count < clients; count++) {
    const options = { host: HOST, port: server.port, deadlineMs: GUESS_DEADLINE_MS };
    const client = stack.use(await RawClient.connect(options));
    await client.readReply("connecting");
    await client.expect(331, `USER nobody${count}`);
    refused.push(client.expect(530, "PASS wrong").then(() => client.reset()));
  }
  const over = Promise.all(refused);
  over.catch(() => {}); // told where it is awaited
  return { over };
}
