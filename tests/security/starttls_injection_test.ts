import { assert, assertEquals, assertRejects } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { programTest } from "../helpers/client_program.ts";
import { assertDialogue } from "../helpers/dialogue.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

/** A session in clear, its greeting read. */
async function connectClear(server: TestServer): Promise<RawClient> {
  const client = await RawClient.connect({ host: server.host, port: server.port });
  await client.readReply("connecting");
  return client;
}

/** Lines that the server has taken from its clients. */
function linesTaken(server: TestServer): readonly string[] {
  return server.events.flatMap((event) =>
    event.event === "dialogue" && event.direction === "received" ? [event.line] : []
  );
}

for (
  const behind of ["USER user\r\n", "NOOP\r\n", "US", "\r\n", "\n", "AUTH TLS\r\n", "\xff\xf2ABOR\r\n", "\x16\x03\x01"]
) {
  Deno.test(`AUTH closes the connection for ${JSON.stringify(behind)} behind it in its packet`, async () => {
    await using server = await TestServer.start({ server: { dialogue: true } });
    await using client = await connectClear(server);
    await client.send(Uint8Array.from(`AUTH TLS\r\n${behind}`, (character) => character.charCodeAt(0)));
    await client.closed();
    assertEquals(client.pending.length, 0);
    assertEquals((await server.event("disconnected")).reason, "clear bytes behind AUTH");
    assertEquals(linesTaken(server), ["AUTH TLS"]);
  });
}

Deno.test("AUTH closes the connection for a line in a packet of its own, sent before the 234 was seen", async () => {
  await using server = await TestServer.start({ server: { dialogue: true } });
  // Where the second packet meets the server, before or behind its 234, is up to the kernel: so many times.
  for (let attempt = 0; attempt < 50; attempt++) {
    await using client = await connectClear(server);
    await client.send("AUTH TLS\r\n");
    await client.send("USER user\r\n").catch(() => {}); // the server may have closed already
    await assertRejects(async () => {
      assertEquals((await client.readReply("AUTH TLS")).code, 234);
      await client.upgrade();
    });
    await client.closed();
  }
  const ends = () => server.events.filter((event) => event.event === "disconnected");
  await server.event("disconnected", () => ends().length === 50);
  assert(!server.events.some((event) => event.event === "secured"));
  assertEquals(new Set(linesTaken(server)), new Set(["AUTH TLS"]));
});

Deno.test("AUTH closes the connection for half a line before the handshake, which nothing completes", async () => {
  await using server = await TestServer.start({ server: { dialogue: true } });
  await using client = await connectClear(server);
  assertEquals((await client.command("AUTH TLS")).code, 234);
  await client.send("USER anonymous");
  await assertRejects(() => client.upgrade());
  await server.event("disconnected");
  assertEquals(linesTaken(server), ["AUTH TLS"]);
});

Deno.test("AUTH in two packets starts TLS, and the half before it is no part of the first line inside", async () => {
  await using server = await TestServer.start({ server: { dialogue: true } });
  await using client = await connectClear(server);
  await client.send("NOOP\r\nAUTH");
  assertEquals((await client.readReply("NOOP")).code, 200);
  assertEquals((await client.command(" TLS")).code, 234);
  await client.upgrade();
  assertEquals((await client.command("NOOP")).code, 200);
  assertEquals(linesTaken(server), ["NOOP", "AUTH TLS", "NOOP"]);
});

Deno.test("AUTH forgets the USER that was given in clear", async () => {
  await using server = await TestServer.start({ server: { tls: { policy: "optional" } } });
  await using client = await connectClear(server);
  await client.expect(331, "USER anonymous");
  await client.startTls();
  await assertDialogue(client, [["PASS x", "503 Login with USER first."]]);
  assert(!server.events.some((event) => event.event === "loginSucceeded"));
});

Deno.test("AUTH forgets the RNFR and the REST that were given in clear", async () => {
  const home = new MemoryFileSystem();
  await using server = await TestServer.start({ home, server: { tls: { policy: "optional" } } });
  await using client = await connectClear(server);
  await client.expect(331, `USER ${USER.name}`);
  await client.expect(230, `PASS ${USER.password}`);
  await client.expect(200, "TYPE I");
  await client.store("/file", new TextEncoder().encode("whole"));
  await client.expect(350, "RNFR /file");
  await client.expect(350, "REST 3");
  await client.startTls();
  await assertDialogue(client, [["RNTO /other", "503 Bad sequence of commands: use RNFR first."]]);
  assertEquals(new TextDecoder().decode(await client.retrieve("/file")), "whole");
});

const END_TLS_AND_GO_ON = `
import socket, ssl, sys
control = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
control.recv(1000)
control.sendall(b"AUTH TLS\\r\\n")
control.recv(1000)
control = ssl._create_unverified_context().wrap_socket(control)
control.sendall(b"NOOP\\r\\n")
print(control.recv(1000))
control = control.unwrap()
try:
    control.sendall(b"NOOP\\r\\n")
    print(control.recv(1000))
except (BrokenPipeError, ConnectionResetError):
    print(b"")
`;

Deno.test(programTest({
  program: "python3",
  name: "A control connection ends with its TLS: what follows in clear is not obeyed",
  fn: async () => {
    await using server = await TestServer.start({ server: { dialogue: true } });
    const output = await requireProgram("python3", ["-c", END_TLS_AND_GO_ON, String(server.port)]);
    assertEquals(output, "b'200 I successfully did nothing.\\r\\n'\nb''\n");
    await server.event("disconnected");
    assertEquals(linesTaken(server), ["AUTH TLS", "NOOP"]);
  },
}));
