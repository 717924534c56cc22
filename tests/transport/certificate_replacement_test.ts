import { assert, assertEquals } from "@std/assert";
import type { ControlTransport } from "../../lib/transport/connection.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { listenControl } from "../../lib/transport/node_control.ts";
import { NodeTlsTransport } from "../../lib/transport/node_tls.ts";
import { TlsContext, type TlsVersion } from "../../lib/transport/tls_context.ts";
import { readAll, writeAll } from "./connection_cases.ts";
import { PAIR } from "./tls_pairs.ts";

const CONNECTIONS = 100;
const HALF_BYTES = 64 * 1024;
const ANY_PORT = { host: "127.0.0.1", port: 0 };
const NEXT = await createEphemeralCertificate({ names: ["localhost", "127.0.0.1"] });

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(`TlsContext.prepare() goes unnoticed by ${CONNECTIONS} ${version} control connections in use`, async () => {
    const context = createContext(version);
    const listener = await listenControl(ANY_PORT, { context });
    const connect = async (caCert: string) => {
      const [peer, connection] = await Promise.all([
        connectClient(listener.address.port, caCert),
        listener.accept().then((accepted) => accepted.startTls()),
      ]);
      return { peer, connection };
    };
    const open = await inParallel(() => connect(PAIR.certificate));
    const served = open.map(({ connection }) => echo(connection));
    const halves = open.map(({ peer }) => exchange(peer, "before"));
    context.prepare({ pair: NEXT, clientCertificates: undefined })();
    const { peer, connection } = await connect(NEXT.certificate);
    assertEquals(await Promise.all(halves), open.map(() => "before"));
    assertEquals(await Promise.all(open.map(({ peer }) => exchange(peer, "after"))), open.map(() => "after"));
    for (const client of [peer, ...open.map(({ peer }) => peer)]) client.close();
    connection.close();
    await Promise.all(served);
    listener.close();
  });

  Deno.test(`TlsContext.prepare() goes unnoticed by ${CONNECTIONS} ${version} downloads that run`, async () => {
    const context = createContext(version);
    await using transport = new NodeTlsTransport(context);
    const listener = await transport.listen(ANY_PORT);
    const connect = async (caCert: string) => {
      const [peer, connection] = await Promise.all([
        connectClient(listener.address.port, caCert),
        listener.accept().then((incoming) => incoming.open("send")),
      ]);
      return { peer, connection };
    };
    const file = crypto.getRandomValues(new Uint8Array(HALF_BYTES));
    const open = await inParallel(() => connect(PAIR.certificate));
    await Promise.all(open.map(({ connection }) => connection.write(file)));
    context.prepare({ pair: NEXT, clientCertificates: undefined })();
    const late = await connect(NEXT.certificate);
    const received = [late, ...open].map(({ peer }) => readAll(peer));
    await Promise.all([late, ...open].map(async ({ connection }) => {
      await connection.write(file);
      await connection.finish();
      connection.close();
    }));
    const [first, ...others] = (await Promise.all(received)).map(({ length }) => length);
    assertEquals(first, file.length);
    assert(others.every((length) => length === 2 * file.length));
    listener.close();
  });
}

function createContext(version: TlsVersion): TlsContext {
  return new TlsContext({ ...PAIR, minVersion: version, maxVersion: version });
}

/** Makes all at once; which client belongs to which connection is not told then. */
function inParallel<T>(make: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: CONNECTIONS }, make));
}

/** Connects as a client that trusts one certificate only. */
async function connectClient(port: number, caCert: string): Promise<Deno.TlsConn> {
  const peer = await Deno.connectTls({ hostname: "localhost", port, caCerts: [caCert] });
  await peer.handshake();
  return peer;
}

async function exchange(peer: Deno.TlsConn, text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  await writeAll(peer, bytes);
  const buffer = new Uint8Array(100);
  let length = 0;
  while (length < bytes.length) length += await peer.read(buffer.subarray(length)) ?? bytes.length;
  return new TextDecoder().decode(buffer.subarray(0, length));
}

async function echo(connection: ControlTransport): Promise<void> {
  try {
    for (let bytes = await connection.read(); bytes !== null; bytes = await connection.read()) {
      await connection.write(bytes);
    }
  } finally {
    connection.close();
  }
}
