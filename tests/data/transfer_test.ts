import { assert, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { DataConnectTimeoutError, DataPort } from "../../lib/data/data_port.ts";
import { PortPool } from "../../lib/data/port_pool.ts";
import { Transfer, type TransferBody, TransferError, type TransferOptions } from "../../lib/data/transfer.ts";
import { ConnectionError } from "../../lib/transport/connection.ts";
import {
  FakeConnection,
  type FakeConnectionOptions,
  FakeIncoming,
  FakeTransport,
  LOCAL,
  TLS_INFO,
} from "../helpers/fake_transport.ts";

const OPTIONS: TransferOptions = {
  direction: "send",
  openMs: 0,
  stallMs: 0,
  handshakeMs: 0,
  requireSessionReuse: false,
  requireCloseNotify: true,
  throttles: [],
};

const HELLO = new TextEncoder().encode("hello");

/** A passive port to which a client has connected, or will. */
async function openPort(incoming: FakeIncoming | undefined, timeoutMs = 0): Promise<DataPort> {
  const transport = new FakeTransport();
  const port = new DataPort(new PortPool(undefined));
  await port.openPassive(transport, LOCAL.host, {
    peerHost: undefined,
    isPrompt: true,
    timeoutMs,
    onForeignPeer: () => {},
  });
  if (incoming !== undefined) transport.listener.arrive(incoming);
  return port;
}

async function sendHello(connection: FakeConnection | Parameters<TransferBody>[0], transfer: Transfer): Promise<void> {
  await connection.write(HELLO);
  transfer.moved(HELLO.length);
}

async function receiveAll(connection: Parameters<TransferBody>[0], transfer: Transfer): Promise<void> {
  for (let bytes = await connection.read(); bytes !== null; bytes = await connection.read()) {
    transfer.moved(bytes.length);
  }
}

/** Runs a transfer over one connection. */
async function run(
  connectionOptions: FakeConnectionOptions,
  options: Partial<TransferOptions> = {},
  body: TransferBody = options.direction === "receive" ? receiveAll : sendHello,
): Promise<{ readonly transfer: Transfer; readonly connection: FakeConnection; readonly kind: string | undefined }> {
  const connection = new FakeConnection(connectionOptions);
  const transfer = new Transfer();
  const running = transfer.run(await openPort(new FakeIncoming({ connection })), { ...OPTIONS, ...options }, body);
  return { transfer, connection, kind: await kindOf(running) };
}

/** Kind of the transfer's error; `undefined` after success. */
async function kindOf(running: Promise<void>): Promise<string | undefined> {
  try {
    await running;
    return undefined;
  } catch (error) {
    if (error instanceof TransferError) return error.kind;
    throw error;
  }
}

Deno.test("Transfer.run() lets the body move bytes, counts them, and ends the connection in order", async () => {
  const { transfer, connection, kind } = await run({});
  assertEquals(kind, undefined);
  assertEquals(connection.sent, HELLO);
  assertEquals(transfer.bytes, 5);
  assertGreater(transfer.seconds, 0);
  assert(connection.isFinished && connection.isClosed);
});

Deno.test("Transfer.run() opens the connection for its direction", async () => {
  for (const direction of ["send", "receive"] as const) {
    const incoming = new FakeIncoming();
    await new Transfer().run(await openPort(incoming), { ...OPTIONS, direction }, async () => {});
    assertEquals(incoming.direction, direction);
  }
});

Deno.test("Transfer.run() passes on what the body throws, and closes the connection without an ending", async () => {
  const failure = new Error("disk");
  const connection = new FakeConnection();
  const running = new Transfer().run(await openPort(new FakeIncoming({ connection })), OPTIONS, () => {
    throw failure;
  });
  assertEquals(await assertRejects(() => running), failure);
  assert(connection.isClosed && !connection.isFinished);
});

Deno.test("Transfer.run() rejects with DataConnectTimeoutError when the client does not come", async () => {
  const port = await openPort(undefined, 10);
  await assertRejects(() => new Transfer().run(port, OPTIONS, sendHello), DataConnectTimeoutError);
});

interface EndingCase {
  readonly name: string;
  readonly connection: FakeConnectionOptions;
  readonly options: Partial<TransferOptions>;
  readonly kind: string | undefined;
}

const ENDINGS: readonly EndingCase[] = [
  {
    name: "an upload in TLS that ends by FIN",
    connection: { tls: TLS_INFO, ending: "fin", received: [HELLO] },
    options: { direction: "receive" },
    kind: "truncated",
  },
  {
    name: "an upload in TLS that ends by close_notify",
    connection: { tls: TLS_INFO, ending: "closeNotify", received: [HELLO] },
    options: { direction: "receive" },
    kind: undefined,
  },
  {
    name: "an upload in TLS that ends by FIN where that is enough",
    connection: { tls: TLS_INFO, ending: "fin", received: [HELLO] },
    options: { direction: "receive", requireCloseNotify: false },
    kind: undefined,
  },
  {
    name: "an upload in clear",
    connection: { ending: "fin", received: [HELLO] },
    options: { direction: "receive" },
    kind: undefined,
  },
  {
    name: "a download in TLS",
    connection: { tls: TLS_INFO },
    options: {},
    kind: undefined,
  },
  {
    name: "a new TLS session where one must be resumed",
    connection: { tls: { ...TLS_INFO, resumed: false } },
    options: { requireSessionReuse: true },
    kind: "notResumed",
  },
  {
    name: "a resumed TLS session where one must be",
    connection: { tls: TLS_INFO },
    options: { requireSessionReuse: true },
    kind: undefined,
  },
  {
    name: "a clear connection where TLS sessions must be resumed",
    connection: {},
    options: { requireSessionReuse: true },
    kind: undefined,
  },
  {
    name: "a connection that is reset",
    connection: { writeError: new ConnectionError("reset", "RST") },
    options: {},
    kind: "reset",
  },
];

for (const { name, connection: connectionOptions, options, kind } of ENDINGS) {
  Deno.test(`Transfer.run() ${kind === undefined ? "completes" : `rejects as ${kind}`}: ${name}`, async () => {
    const result = await run(connectionOptions, options);
    assertEquals(result.kind, kind);
    assertEquals(result.connection.isFinished, kind === undefined);
    assert(result.connection.isClosed);
  });
}

Deno.test("Transfer.run() rejects as handshake when TLS cannot be established", async () => {
  const incoming = new FakeIncoming({ open: new ConnectionError("handshake", "alert") });
  assertEquals(await kindOf(new Transfer().run(await openPort(incoming), OPTIONS, sendHello)), "handshake");
  assert(incoming.isClosed);
});

Deno.test("Transfer.run() rejects as handshake when TLS is not established in time", async () => {
  const incoming = new FakeIncoming({ open: "blocks" });
  const running = new Transfer().run(await openPort(incoming), { ...OPTIONS, handshakeMs: 10 }, sendHello);
  assertEquals(await kindOf(running), "handshake");
  assert(incoming.isClosed);
});

Deno.test("Transfer.run() rejects as stalled when no byte moves in time", async () => {
  const receiving = { direction: "receive", stallMs: 20 } as const;
  assertEquals((await run({ blocks: "read" }, receiving)).kind, "stalled");
  assertEquals((await run({ blocks: "write" }, { stallMs: 20 })).kind, "stalled");
  assertEquals((await run({ blocks: "finish" }, { stallMs: 20 })).kind, "stalled");
});

Deno.test("Transfer.run() goes on for longer than the stall time while bytes move", async () => {
  const startedAt = performance.now();
  const { kind } = await run({}, { stallMs: 60 }, async (_connection, transfer) => {
    while (performance.now() - startedAt < 150) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      transfer.moved(1);
    }
  });
  assertEquals(kind, undefined);
});

Deno.test("Transfer.abort() before run() makes it reject at once and closes the port", async () => {
  const incoming = new FakeIncoming();
  const port = await openPort(incoming);
  const transfer = new Transfer();
  transfer.abort("aborted", "ABOR");
  assertEquals(await kindOf(transfer.run(port, OPTIONS, sendHello)), "aborted");
  assertEquals(incoming.direction, undefined);
  port.close();
  assert(incoming.isClosed);
});

Deno.test("Transfer.abort() ends the wait for the client", async () => {
  const port = await openPort(undefined);
  const transfer = new Transfer();
  const running = transfer.run(port, OPTIONS, sendHello);
  transfer.abort("aborted", "ABOR");
  assertEquals(await kindOf(running), "aborted");
  assertEquals(port.state, "closed");
});

Deno.test("Transfer.abort() ends the handshake", async () => {
  const incoming = new FakeIncoming({ open: "blocks" });
  const transfer = new Transfer();
  const running = transfer.run(await openPort(incoming), OPTIONS, sendHello);
  await incoming.opening;
  transfer.abort("aborted", "ABOR");
  assertEquals(await kindOf(running), "aborted");
  assert(incoming.isClosed);
});

for (const blocks of ["read", "write", "finish"] as const) {
  Deno.test(`Transfer.abort() ends a waiting ${blocks}() and closes the connection`, async () => {
    const connection = new FakeConnection({ blocks });
    const direction = blocks === "read" ? "receive" : "send";
    const body = blocks === "read" ? receiveAll : sendHello;
    const transfer = new Transfer();
    const port = await openPort(new FakeIncoming({ connection }));
    const running = transfer.run(port, { ...OPTIONS, direction }, body);
    await connection.blocked;
    transfer.abort("aborted", "ABOR");
    transfer.abort("stalled", "later");
    assertEquals(await kindOf(running), "aborted");
    assert(connection.isClosed && !connection.isFinished);
  });
}

Deno.test("Transfer.abort() after the body's last byte still makes run() reject", async () => {
  const { kind, connection } = await run({}, {}, (_connection, transfer) => {
    transfer.abort("aborted", "ABOR");
    return Promise.resolve();
  });
  assertEquals(kind, "aborted");
  assert(!connection.isFinished);
});

Deno.test("Transfer.abort() after the end changes nothing but the reason kept", async () => {
  const { transfer, connection, kind } = await run({});
  transfer.abort("aborted", "ABOR");
  assertEquals(kind, undefined);
  assertEquals(transfer.failure?.kind, "aborted");
  assert(connection.isFinished);
});
