/**
 * A program that passes connections on from another address of this host: `source_relay.ts ADDRESS PORT`. It prints its own
 * port, and runs until it is killed.
 *
 * @module
 */

import { connect, createServer } from "node:net";

const [localAddress = "", port = ""] = Deno.args;
const relay = createServer((client) => {
  const server = connect({ host: "127.0.0.1", port: Number(port), localAddress });
  client.pipe(server).pipe(client);
  for (const socket of [client, server]) {
    // The other side is told by the end of its own connection.
    socket.on("error", () => {});
    socket.on("close", () => {
      client.destroy();
      server.destroy();
    });
  }
});
relay.listen(0, "127.0.0.1", () => {
  const address = relay.address();
  if (address === null || typeof address === "string") throw new Error("The relay has no port");
  Deno.stdout.writeSync(new TextEncoder().encode(`${address.port}\n`));
});
