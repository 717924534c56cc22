import { assert, assertEquals } from "@std/assert";
import { connect } from "node:net";
import { RawClient } from "../helpers/raw_client.ts";
import { opened } from "../helpers/raw_data_connection.ts";
import { SocketReader } from "../helpers/socket_reader.ts";
import { TestServer } from "../helpers/test_server.ts";

/** What a browser, or somebody through it, and a mail server say first. A line that would do something stands behind. */
const FOREIGN = [
  "GET / HTTP/1.1\r\nHost: localhost\r\n\r\nUSER anonymous\r\nPASS x\r\n",
  "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30\r\n\r\nUSER anonymous\r\nPASS x\r\n",
  "PUT /x HTTP/1.1\r\nHost: localhost\r\n\r\nUSER anonymous\r\nPASS x\r\n",
  "HEAD / HTTP/1.0\r\n\r\nUSER anonymous\r\nPASS x\r\n",
  "OPTIONS / HTTP/1.1\r\n\r\nUSER anonymous\r\nPASS x\r\n",
  "CONNECT localhost:25 HTTP/1.1\r\n\r\nUSER anonymous\r\nPASS x\r\n",
  "EHLO mail.example.org\r\nUSER anonymous\r\nPASS x\r\n",
  "HELO mail.example.org\r\nUSER anonymous\r\nPASS x\r\n",
  "get / http/1.1\r\nUSER anonymous\r\nPASS x\r\n",
];

for (const text of FOREIGN) {
  const [firstLine] = text.split("\r\n");
  for (const stage of ["before", "after"] as const) {
    Deno.test(`"${firstLine}" ${stage} TLS closes the connection without an answer`, async () => {
      // TLS is optional, so that the lines behind would be obeyed in clear as well.
      await using server = await TestServer.start({ server: { tls: { policy: "optional" } } });
      await using client = await RawClient.connect({ host: server.host, port: server.port });
      await client.readReply("connecting");
      if (stage === "after") await client.startTls();
      await client.send(text);
      await client.closed();
      assertEquals(client.pending.length, 0);
      const verb = firstLine?.split(" ")[0]?.toUpperCase();
      assertEquals((await server.event("disconnected")).reason, `client does not speak FTP: ${verb}`);
      assert(!server.events.some((event) => event.event === "loginSucceeded"));
    });
  }
}

Deno.test("GET is any unknown command once a user is logged in", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  assertEquals((await client.command("GET / HTTP/1.1")).code, 500);
  assertEquals((await client.command("NOOP")).code, 200);
});

Deno.test("HTTP in clear on an implicit TLS port is never answered in clear, nor taken for a command", async () => {
  await using server = await TestServer.start({ protection: "implicit", server: { dialogue: true } });
  const socket = connect({ host: server.host, port: server.port });
  await opened(socket, "connect", "a connection", 10_000);
  const reader = new SocketReader(socket, 10_000);
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await reader.ended("the end of the connection");
  const TLS_ALERT = 0x15;
  assert(reader.pending.length === 0 || reader.pending[0] === TLS_ALERT);
  assertEquals((await server.event("disconnected")).reason, "TLS handshake failed");
  assert(!server.events.some((event) => event.event === "dialogue"));
  socket.destroy();
});
