import { assertEquals, assertLess } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { MeasuredServer } from "../helpers/measured_server.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const MIB = 1024 * 1024;
/** What a server may grow by before it collects its garbage, beside a part of what it was sent. */
const SLACK_BYTES = 96 * MIB;

/** A server in a process of its own, whose memory nobody else uses. Silence ends a session after one second. */
function startServer(): Promise<MeasuredServer> {
  return MeasuredServer.start({ configuration: "tls: { policy: optional }\ntimeouts: { idle: 1 }" });
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Flood {
  /** What is sent again and again. */
  readonly chunk: Uint8Array;
  /** How much of it at most. */
  readonly bytes: number;
  /** How it ends. */
  readonly reason?: string;
}

const ENDLESS = { bytes: 512 * MIB, reason: "Command line does not end." };

const FLOODS: Readonly<Record<string, Flood>> = {
  "a line that never ends": { chunk: new Uint8Array(MIB).fill(0x41), ...ENDLESS },
  "Telnet commands without a line": { chunk: new Uint8Array(MIB).fill(0xff), ...ENDLESS },
  "commands whose replies are never read": { chunk: encode("HELP\r\n".repeat(100_000)), bytes: 512 * MIB },
  "lines that are too long": { chunk: encode(`${"A".repeat(5000)}\r\n`.repeat(200)), bytes: 32 * MIB },
};

for (const [name, { chunk, bytes, reason = "Control connection timed out." }] of Object.entries(FLOODS)) {
  Deno.test(`FtpServer survives ${name}: bounded memory, a deadline, others are served`, async () => {
    await using server = await startServer();
    const { now: before } = await server.memory();
    using flooder = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const { port } = flooder.localAddr as Deno.NetAddr;
    const ended = server.event(({ event, remote }) => event === "disconnected" && remote === `127.0.0.1:${port}`);
    const flood = sendAll(flooder, chunk, bytes);
    assertEquals(await talkMeanwhile(server.port), 50);
    assertEquals((await ended).reason, reason);
    const sent = await flood;
    assertLess((await server.memory()).peak - before, SLACK_BYTES + sent / 4);
  });
}

/** Sends a chunk again and again until the server is through with us; tells how many bytes it took. */
async function sendAll(connection: Deno.Conn, chunk: Uint8Array, bytes: number): Promise<number> {
  let sent = 0;
  try {
    while (sent < bytes) sent += await connection.write(chunk);
  } catch {
    // Closed by the server, which is what is waited for.
  }
  return sent;
}

/** Another client's 50 commands; tells how many were answered. */
async function talkMeanwhile(port: number): Promise<number> {
  await using client = await RawClient.connect({ host: "127.0.0.1", port });
  await client.readReply("connecting");
  await client.login(USER.name, USER.password);
  let answered = 0;
  for (let count = 0; count < 50; count++) answered += Number((await client.command("NOOP")).code === 200);
  return answered;
}

Deno.test("FtpServer serves others while a client pipelines commands without end and reads the replies", async () => {
  await using server = await startServer();
  const flooder = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  const reading = readAll(flooder);
  const flood = sendAll(flooder, encode("NOOP\r\n".repeat(20_000)), Infinity);
  assertEquals(await talkMeanwhile(server.port), 50);
  flooder.close();
  await Promise.all([reading, flood]);
});

async function readAll(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(MIB);
  try {
    while (await connection.read(buffer) !== null);
  } catch {
    // Closed by the test.
  }
}

Deno.test("FtpServer answers 10,000 pipelined commands in their order", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  const lines = Array.from({ length: 10_000 }, (_, index) => `TYPE ${index}`);
  const sending = client.send(lines.map((line) => `${line}\r\n`).join(""));
  for (const line of lines) {
    assertEquals((await client.readReply(line)).text, `504 Unsupported type "${line.slice(5)}".`);
  }
  await sending;
  await using other = await server.login();
  await other.expect(200, "NOOP");
});

/** Sends commands over TLS and never reads. `node:tls` could not: it reads on when it is paused. */
const DEAF_CLIENT = `
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
connection = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30))
try:
    while True:
        connection.sendall(b"HELP\\r\\n" * 10000)
except OSError:
    print("ended")
`;

Deno.test(programTest({
  program: "python3",
  name: "FtpServer ends a TLS client that does not read its replies",
  fn: async () => {
    await using server = await TestServer.start({ protection: "implicit", server: { timeouts: { idle: 0.5 } } });
    assertEquals(await requireProgram("python3", ["-c", DEAF_CLIENT, `${server.port}`]), "ended\n");
    assertEquals((await server.event("disconnected")).reason, "Control connection timed out.");
  },
}));
