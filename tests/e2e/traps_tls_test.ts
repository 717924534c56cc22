/**
 * What clients stumble over in TLS. The numbers are those of docs/interop.md; docs/interop_test.ts names further tests.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { SessionReuse } from "../../lib/settings/settings.ts";
import { programTest } from "../helpers/client_program.ts";
import { assertDialogue, assertReplies } from "../helpers/dialogue.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { runProgram } from "../helpers/run_program.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const CONTENT = "content of the file";
const CLEAR_DATA = "550 SSL/TLS required on the data channel.";
const NOT_RESUMED = "522 TLS session reuse required on data connections; enable session resumption in the client.";

function start(options: Parameters<typeof TestServer.start>[0] = {}): Promise<TestServer> {
  return TestServer.start({ home: MemoryFileSystem.of({ "/file": CONTENT }), ...options });
}

/** Fetches the file; gives the code of the final reply. */
async function fetch(client: RawClient): Promise<string> {
  await using data = await client.passive();
  await client.expect(150, "RETR /file");
  await data.secure();
  const text = new TextDecoder().decode(await data.readAll());
  const { text: reply } = await client.readReply("RETR");
  if (reply.startsWith("226")) assertEquals(text, CONTENT);
  return reply;
}

const REUSE: Readonly<Record<SessionReuse, { readonly resuming: RegExp; readonly others: RegExp }>> = {
  off: { resuming: /^226 /, others: /^226 / },
  allow: { resuming: /^226 /, others: /^226 / },
  require: { resuming: /^226 /, others: /^522 / },
};

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  for (const [sessionReuse, expected] of Object.entries(REUSE) as [SessionReuse, typeof REUSE[SessionReuse]][]) {
    Deno.test(`T4: clients that cannot resume a session, and those that do, where it is "${sessionReuse}": ${version}`, async () => {
      const tls = { sessionReuse, minVersion: version, maxVersion: version };
      await using server = await start({ server: { tls } });
      await using resuming = await server.login();
      assertMatch(await fetch(resuming), expected.resuming);
      await using other = await server.login({ reuseSession: false });
      assertMatch(await fetch(other), expected.others);
      await assertDialogue(other, [["NOOP", /^200 /]]);
    });
  }
}

Deno.test("T4: the refusal says what to do", async () => {
  await using server = await start({ server: { tls: { sessionReuse: "require" } } });
  await using client = await server.login({ reuseSession: false });
  assertEquals(await fetch(client), NOT_RESUMED);
});

Deno.test("T5: a session of another control connection is taken for resumption, as rclone offers it", async () => {
  await using server = await start({ server: { tls: { sessionReuse: "require" } } });
  await using one = await server.login();
  await using other = await server.login({ reuseSession: false });
  const session = one.tls?.getSession();
  assert(session !== undefined, "The control connection has no session");
  const port = Number(/\|(\d+)\|/.exec((await other.expect(229, "EPSV")).text)?.[1]);
  const tls = { rejectUnauthorized: false, session };
  await using data = await RawDataConnection.connect({ host: server.host, port, tls, deadlineMs: 10_000 });
  await other.expect(150, "RETR /file");
  await data.secure();
  assertEquals(new TextDecoder().decode(await data.readAll()), CONTENT);
  await assertReplies(other, ["226 Transfer complete."]);
});

Deno.test("T7: fifty transfers of one TLS 1.3 session resume, and none fails where the first passed", async () => {
  await using server = await start({ server: { tls: { sessionReuse: "require", minVersion: "TLSv1.3" } } });
  await using client = await server.login();
  for (let count = 0; count < 50; count += 2) {
    assertEquals(await fetch(client), "226 Transfer complete.");
    await client.store("/up", new TextEncoder().encode(`upload ${count}`));
  }
});

/** A TLS 1.2 client without tickets: it knows sessions by their ids only, as Java before version 13 does. */
const SESSION_ID_CLIENT = `
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
context.maximum_version = ssl.TLSVersion.TLSv1_2
context.options |= ssl.OP_NO_TICKET
def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)
control = context.wrap_socket(connect(int(sys.argv[1])))
lines = control.makefile("r", newline="\\r\\n")
def command(line):
    control.sendall((line + "\\r\\n").encode())
    return lines.readline().strip()
lines.readline()
command("USER user"); command("PASS 12345")
port = int(command("EPSV").split("|")[3])
data = connect(port)
reply = command("RETR /file")
data = context.wrap_socket(data, session=control.session)
print(reply[:3], data.session_reused, data.recv(100).decode(), lines.readline()[:3])
`;

Deno.test(programTest({
  program: "python3",
  name: "T8: a TLS 1.2 client without tickets is served, though the runtime resumes by tickets only",
  fn: async () => {
    await using server = await start({ protection: "implicit" });
    const args = ["-c", SESSION_ID_CLIENT, String(server.port)];
    const { stdout, stderr } = await runProgram("python3", args, { deadlineMs: 20_000 });
    assertEquals([stdout, stderr], [`150 False ${CONTENT} 226\n`, ""]);
  },
}));

Deno.test(programTest({
  program: "openssl",
  name: "T9: TLS 1.2 has the extended master secret",
  fn: async () => {
    await using server = await start({ protection: "implicit" });
    const args = ["s_client", "-tls1_2", "-connect", `127.0.0.1:${server.port}`];
    const { stdout } = await runProgram("openssl", args, { deadlineMs: 20_000 });
    assertMatch(stdout, /Protocol *: TLSv1\.2/);
    assertMatch(stdout, /Extended master secret: yes/);
  },
}));

for (const mechanism of ["SSL", "TLS-P", "TLS", "TLS-C"]) {
  Deno.test(`T10: AUTH ${mechanism} protects the control connection, and data connections only after PROT P`, async () => {
    await using server = await start();
    await using client = await RawClient.connect({ host: server.host, port: server.port });
    await client.readReply();
    await client.expect(234, `AUTH ${mechanism}`);
    await client.upgrade();
    await assertDialogue(client, [
      [`USER ${USER.name}`, /^331 /],
      [`PASS ${USER.password}`, /^230 /],
      ["PASV", CLEAR_DATA],
      ["PBSZ 0", /^200 /],
      ["PROT P", /^200 /],
    ]);
    assertEquals(await fetch(client), "226 Transfer complete.");
  });
}

for (const sayings of [[], ["PBSZ 0", "PROT P"], ["PROT P"]]) {
  Deno.test(`T12: implicit TLS protects data connections of a client that says "${sayings.join(", ")}"`, async () => {
    await using server = await start({ protection: "implicit" });
    await using client = await server.connect();
    for (const line of sayings) await client.expect(200, line);
    await client.expect(331, `USER ${USER.name}`);
    await client.expect(230, `PASS ${USER.password}`);
    assertEquals(await fetch(client), "226 Transfer complete.");
  });
}

Deno.test("T16: an upload that is closed before the handshake is no empty file, and an empty one is complete", async () => {
  await using server = await start();
  await using client = await server.login();
  {
    await using _data = await client.passive();
    await client.expect(150, "STOR /cut");
  }
  await assertReplies(client, ["425 Can't open data connection: TLS handshake failed."]);
  await client.store("/empty", new Uint8Array(0));
  const told = server.events.flatMap((event) => "path" in event ? `${event.event} ${event.path}` : []);
  assertEquals(told, [
    "transferStarted /cut",
    "transferIncomplete /cut",
    "transferStarted /empty",
    "fileReceived /empty",
  ]);
});

Deno.test("T18: the handshake may begin before the command, even end before it, or begin after its 150", async () => {
  await using server = await start();
  await using client = await server.login();
  for (const begin of ["before", "ends before", "after"]) {
    await using data = await client.passive();
    const secured = begin === "after" ? undefined : data.secure();
    if (begin === "ends before") await secured;
    await client.expect(150, "RETR /file");
    await (secured ?? data.secure());
    assertEquals(new TextDecoder().decode(await data.readAll()), CONTENT);
    await assertReplies(client, ["226 Transfer complete."]);
  }
});

Deno.test("T21: a thousand commands and many reconnections are no abuse, and places are free again at once", async () => {
  await using server = await start({ server: { limits: { connections: 1 }, ban: { failures: 3 } } });
  for (let connections = 1; connections <= 20; connections++) {
    await using client = await server.login();
    for (let count = 0; count < 50; count++) await client.expect(200, "NOOP");
    await client[Symbol.asyncDispose]();
    await server.event("disconnected", () => endsOf(server) === connections);
  }
  assertEquals(server.events.filter(({ event }) => event === "connectionRefused"), []);
});

function endsOf(server: TestServer): number {
  return server.events.filter(({ event }) => event === "disconnected").length;
}
