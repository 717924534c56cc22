/**
 * What clients stumble over in data connections. The numbers are those of docs/interop.md; docs/interop_test.ts names further tests.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { assertDialogue, assertReplies, startTransfer } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

const CONTENT = "content of the file";

function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<TestServer> {
  return TestServer.start({ home: MemoryFileSystem.of({ "/file": CONTENT }), ...options });
}

async function openedPort(client: RawClient): Promise<number> {
  return Number(/\|(\d+)\|/.exec((await client.expect(229, "EPSV")).text)?.[1]);
}

/** The kernel may take a connection in the moment the port is closed, and resets it then. */
async function assertNobodyListens(server: TestServer, port: number): Promise<void> {
  try {
    await using data = await RawDataConnection.connect({ host: server.host, port, deadlineMs: 2000 });
    await data.ended();
  } catch (error) {
    assertMatch(String(error), /ECONNREFUSED|ECONNRESET/);
  }
}

/** Ways for a port to be given up that no transfer has used. */
const ENDS_OF_PORTS: Readonly<Record<string, (client: RawClient) => Promise<unknown>>> = {
  "a second EPSV": (client) => client.expect(229, "EPSV"),
  "ABOR": (client) => client.expect(225, "ABOR"),
  "REIN": (client) => client.expect(230, "REIN"),
  "QUIT": async (client) => {
    await client.expect(221, "QUIT");
    await client.closed();
  },
};

for (const protection of PROTECTIONS) {
  for (const [how, end] of Object.entries(ENDS_OF_PORTS)) {
    Deno.test(`D5: a passive port is closed by ${how}: ${protection}`, async () => {
      await using server = await start({ protection });
      await using client = await server.login();
      const port = await openedPort(client);
      await end(client);
      if (how === "QUIT") await server.event("disconnected");
      await assertNobodyListens(server, port);
    });
  }

  Deno.test(`D5: a passive port is closed when the client leaves: ${protection}`, async () => {
    await using server = await start({ protection });
    await using client = await server.login();
    const port = await openedPort(client);
    await client[Symbol.asyncDispose]();
    await server.event("disconnected");
    await assertNobodyListens(server, port);
  });

  Deno.test(`D5: a passive port takes one connection, and none after its time: ${protection}`, async () => {
    await using server = await start({ protection, server: { timeouts: { passive: 0.5 } } });
    await using client = await server.login();
    let used = 0;
    await using data = await client.passive({ via: (port) => used = port });
    await client.expect(150, "RETR /file");
    await data.secure();
    assertEquals(new TextDecoder().decode(await data.readAll()), CONTENT);
    await assertReplies(client, ["226 Transfer complete."]);
    await assertNobodyListens(server, used);
    const unused = await openedPort(client);
    await client.expect(150, "RETR /file");
    await assertReplies(client, [/^425 /]);
    await assertNobodyListens(server, unused);
  });

  Deno.test(`D7: the data connection may come before the command, or after its 150: ${protection}`, async () => {
    await using server = await start({ protection });
    await using client = await server.login();
    assertEquals(new TextDecoder().decode(await client.retrieve("/file")), CONTENT);
    const port = await openedPort(client);
    await client.expect(150, "RETR /file");
    using late = await Deno.connect({ hostname: server.host, port });
    if (protection === "clear") {
      assertEquals(await new Response(late.readable).text(), CONTENT);
      await assertReplies(client, ["226 Transfer complete."]);
      return;
    }
    const { caCert } = server;
    using secured = await Deno.startTls(late, { hostname: "localhost", caCerts: [caCert] });
    assertEquals(await new Response(secured.readable).text(), CONTENT);
    await assertReplies(client, ["226 Transfer complete."]);
  });

  Deno.test(`D9: each command gets one reply while a transfer runs, and the transfer one: ${protection}`, async () => {
    await using server = await start({ protection });
    await using client = await server.login();
    await using data = await startTransfer(client, "STOR /up");
    await client.send("NOOP\r\nFEAT\r\n".repeat(50));
    for (let count = 0; count < 50; count++) await assertReplies(client, [/^200 /, /^211-.*\n211 End FEAT\.$/s]);
    assertEquals(client.pending.length, 0);
    await data.write(new TextEncoder().encode("upload"));
    await data.finish();
    await assertReplies(client, ["226 Transfer complete."]);
    await assertDialogue(client, [["PWD", /^257 /]]);
    assertEquals(client.pending.length, 0);
  });

  Deno.test(`D11: 226 comes to a client that has not read the data yet: ${protection}`, async () => {
    await using server = await start({ protection });
    await using client = await server.login();
    await using data = await startTransfer(client, "RETR /file");
    await assertReplies(client, ["226 Transfer complete."]);
    assertEquals(new TextDecoder().decode(await data.readAll()), CONTENT);
  });
}

Deno.test("D11: 226 comes to a client that keeps its end of the data connection open", async () => {
  await using server = await start({ protection: "clear" });
  await using client = await server.login();
  using data = await Deno.connect({ hostname: server.host, port: await openedPort(client) });
  await client.expect(150, "RETR /file");
  const buffer = new Uint8Array(100);
  const count = await data.read(buffer);
  assertEquals(new TextDecoder().decode(buffer.subarray(0, count ?? 0)), CONTENT);
  assertEquals(await data.read(buffer), null);
  await assertReplies(client, ["226 Transfer complete."]);
  await data.write(buffer).catch(() => 0); // Our end was open until now.
});

Deno.test("D15: active connections come from any port, and a private address is refused in plain words", async () => {
  await using server = await start({ protection: "clear", server: { active: { enabled: true } } });
  await using client = await server.login();
  using listener = Deno.listen({ hostname: server.host, port: 0 });
  const { port } = listener.addr;
  const dialogue = assertDialogue(client, [
    ["PORT 192,168,1,2,200,1", "501 Rejected data connection to foreign address 192.168.1.2:51201."],
    [`PORT 127,0,0,1,${port >> 8},${port & 255}`, "200 Active data connection established."],
  ]);
  const [connection] = await Promise.all([listener.accept(), dialogue]);
  using data = connection;
  assert((data.remoteAddr as Deno.NetAddr).port >= 1024);
});

Deno.test("D17: a PROXY header to a listener that takes none ends the session, and changes nobody's address", async () => {
  await using server = await start({ protection: "clear" });
  await using client = await server.connect();
  await client.send("PROXY TCP4 192.0.2.1 192.0.2.2 56324 21\r\n");
  await client.closed();
  const { remote } = await server.event("disconnected");
  assertEquals(remote, `${server.host}:${client.localPort}`);
});
