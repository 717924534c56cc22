import { assertEquals } from "@std/assert";
import type { DataTransport } from "../../lib/transport/connection.ts";
import { DenoTcpTransport } from "../../lib/transport/deno_tcp.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { currentScope, type ErrorScope, runInScope } from "../../lib/transport/error_scope.ts";
import { SocketListener } from "../../lib/transport/node_socket.ts";
import { NodeTlsTransport } from "../../lib/transport/node_tls.ts";
import { TlsContext } from "../../lib/transport/tls_context.ts";

const ANY_PORT = { host: "127.0.0.1", port: 0 };
const CONTEXT = new TlsContext(await createEphemeralCertificate({ names: ["localhost"] }));

const TRANSPORTS: Readonly<Record<string, () => DataTransport>> = {
  DenoTcpTransport: () => new DenoTcpTransport(),
  NodeTlsTransport: () => new NodeTlsTransport(CONTEXT),
};

for (const [name, create] of Object.entries(TRANSPORTS)) {
  Deno.test(`${name} refuse() closes what waits and what connects, until accept() is called`, async () => {
    const listener = await create().listen(ANY_PORT);
    const { port } = listener.address;
    // A first one is taken, so that the next is there in the same turn.
    for (let round = 0; round < 20; round++) {
      const waiting = await dial(port);
      listener.refuse();
      listener.refuse();
      const strangers = [waiting, await dial(port), await dial(port)];
      for (const stranger of strangers) assertEquals(await readToEnd(stranger), 0);
      const accepting = listener.accept();
      const owner = await dial(port);
      const incoming = await accepting;
      assertEquals(incoming.remote.port, owner.localAddr.port);
      incoming.close();
      owner.close();
    }
    listener.refuse();
    listener.close();
  });
}

Deno.test("NodeTlsTransport opens listeners in the scope that it was made in", async () => {
  const [server, session]: ErrorScope[] = [{ fail: () => {} }, { fail: () => {} }];
  if (server === undefined || session === undefined) throw new Error("There is no scope");
  const { listen } = SocketListener;
  const scopes: (ErrorScope | undefined)[] = [];
  SocketListener.listen = (...args) => {
    scopes.push(currentScope());
    return listen(...args);
  };
  try {
    const transport = runInScope(server, () => new NodeTlsTransport(CONTEXT));
    (await runInScope(session, () => transport.listen(ANY_PORT))).close();
  } finally {
    SocketListener.listen = listen;
  }
  assertEquals(scopes, [server]);
});

function dial(port: number): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Reads to the end, however it comes, and counts the bytes. */
async function readToEnd(connection: Deno.TcpConn): Promise<number> {
  using _ = connection;
  try {
    let count = 0;
    const buffer = new Uint8Array(16);
    for (let read = await connection.read(buffer); read !== null; read = await connection.read(buffer)) count += read;
    return count;
  } catch {
    return 0; // reset
  }
}
