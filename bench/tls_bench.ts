// Handshakes and bytes of protected connections, as control and data connections make them.

import { connect as connectTcp, type Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import type { Connection, Direction } from "../lib/transport/connection.ts";
import { createEphemeralCertificate } from "../lib/transport/ephemeral_certificate.ts";
import { NodeTlsTransport } from "../lib/transport/node_tls.ts";
import { TlsContext } from "../lib/transport/tls_context.ts";

const STREAM_BYTES = 64 * 2 ** 20;
const PIECE = new Uint8Array(512 * 1024);
const pair = await createEphemeralCertificate({ names: ["127.0.0.1"] });
const context = new TlsContext({ ...pair, minVersion: "TLSv1.2", maxVersion: "TLSv1.3" });

interface Pair extends AsyncDisposable {
  readonly server: Connection;
  readonly client: TLSSocket;
}

async function open(direction: Direction): Promise<Pair> {
  const transport = new NodeTlsTransport(context);
  const listener = await transport.listen({ host: "127.0.0.1", port: 0 });
  const socket: Socket = connectTcp(listener.address);
  const incoming = await listener.accept();
  listener.close();
  const client = connect({ socket, rejectUnauthorized: false });
  const secured = new Promise<void>((resolve, reject) => client.once("secureConnect", resolve).once("error", reject));
  const [server] = await Promise.all([incoming.open(direction), secured]);
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.close();
      await transport[Symbol.asyncDispose]();
    },
  };
}

Deno.bench("listener, connection and handshake", { group: "handshake" }, async () => {
  await using _pair = await open("receive");
});

Deno.bench("TLS download, 64 MiB", { group: "stream" }, async (bench) => {
  await using pair = await open("send");
  const { server, client } = pair;
  bench.start();
  const ended = new Promise((resolve) => client.on("data", () => {}).once("end", resolve));
  for (let sent = 0; sent < STREAM_BYTES; sent += PIECE.length) await server.write(PIECE);
  await server.finish();
  await ended;
  bench.end();
});

Deno.bench("TLS upload, 64 MiB", { group: "stream" }, async (bench) => {
  await using pair = await open("receive");
  const { server, client } = pair;
  bench.start();
  for (let sent = 0; sent < STREAM_BYTES; sent += PIECE.length) client.write(PIECE);
  client.end();
  while (await server.read() !== null);
  await server.finish();
  bench.end();
});
