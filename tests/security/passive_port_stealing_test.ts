import { assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { runProgram } from "../helpers/run_program.ts";
import { TestServer } from "../helpers/test_server.ts";

const IMPOSTOR = "127.0.0.2";
// On Linux the whole of 127.0.0.0/8 is the machine itself.
const ignore = Deno.build.os !== "linux";
const reason = ignore ? ` (ignored: ${IMPOSTOR} is no address of this machine)` : "";

/**
 * Connects from {@linkcode IMPOSTOR}, in a process that may, and tells what the server says until it ends the connection.
 * Sends at once what would make a protected port answer.
 */
const IMPOSTOR_PROGRAM = `
  import { connect } from "node:net";
  const [host, port] = Deno.args;
  const socket = connect({ host, port: Number(port), localAddress: "${IMPOSTOR}" });
  socket.on("data", (bytes) => console.log("received", bytes));
  socket.on("error", () => {});
  socket.on("close", () => console.log("dropped"));
  socket.write("stolen");
`;

async function stealPort(server: TestServer, port: number): Promise<string> {
  const output = await runProgram(Deno.execPath(), ["eval", IMPOSTOR_PROGRAM, "--", server.host, `${port}`], {
    deadlineMs: 10_000,
  });
  return output.stdout.trim();
}

/** Connects from an address, and returns all that comes. */
async function fetchFrom(
  address: string,
  { host, port, isSecure }: { readonly host: string; readonly port: number; readonly isSecure: boolean },
): Promise<string> {
  const program = `
    import net from "node:net";
    import tls from "node:tls";
    const socket = net.connect({ host: "${host}", port: ${port}, localAddress: "${address}" });
    const stream = ${isSecure} ? tls.connect({ socket, rejectUnauthorized: false }) : socket;
    stream.on("data", (bytes) => process.stdout.write(bytes));
    stream.on("error", (error) => console.log(String(error)));
  `;
  const output = await runProgram(Deno.execPath(), ["eval", `import process from "node:process"; ${program}`], {
    deadlineMs: 20_000,
  });
  return output.stdout.trim();
}

async function openPassive(client: RawClient): Promise<number> {
  const { text } = await client.expect(229, "EPSV");
  return Number(/\(\|\|\|(\d+)\|\)/.exec(text)?.[1]);
}

/** Connects from the owner's address; over TLS if the server has it. */
function connectData(server: TestServer, port: number): Promise<RawDataConnection> {
  const tls = server.server.certificate && { rejectUnauthorized: false };
  return RawDataConnection.connect({ host: server.host, port, tls, deadlineMs: 10_000 });
}

for (const protection of ["explicit", "clear"] as const) {
  Deno.test({
    name: `RETR serves another address of the client's where passive.foreignAddresses is on, ${protection}${reason}`,
    ignore,
    fn: async () => {
      const passive = { foreignAddresses: true };
      await using server = await TestServer.start({ protection, home: new MemoryFileSystem(), server: { passive } });
      await using client = await server.login();
      await client.store("/file", new TextEncoder().encode("content"));
      const port = await openPassive(client);
      const stranger = fetchFrom(IMPOSTOR, { host: server.host, port, isSecure: protection === "explicit" });
      await client.expect(150, "RETR /file");
      assertEquals(await stranger, "content");
      assertEquals((await client.readReply("RETR")).code, 226);
      assertEquals(server.events.filter(({ event }) => event === "connectionRefused"), []);
    },
  });

  Deno.test({
    name: `RETR serves the owner after an impostor was first on the passive port, ${protection}${reason}`,
    ignore,
    fn: async () => {
      await using server = await TestServer.start({ protection, home: new MemoryFileSystem() });
      await using client = await server.login();
      await client.store("/file", new Uint8Array(9));
      const port = await openPassive(client);
      assertEquals(await stealPort(server, port), "dropped");
      const { remote, reason } = await server.event("connectionRefused");
      assertEquals(remote.replace(/:\d+$/, ""), IMPOSTOR);
      const session = server.events.find((event) => event.event === "loginSucceeded");
      assertEquals(reason, `data connection of session ${session?.session} expected from 127.0.0.1`);
      await using data = await connectData(server, port);
      await client.expect(150, "RETR /file");
      await data.secure();
      assertEquals((await data.readAll()).length, 9);
      assertEquals((await client.readReply("RETR")).code, 226);
    },
  });

  Deno.test({
    name: `STOR takes nothing from an impostor who comes after its 150, ${protection}${reason}`,
    ignore,
    fn: async () => {
      await using server = await TestServer.start({ protection, home: new MemoryFileSystem() });
      await using client = await server.login();
      const port = await openPassive(client);
      await client.expect(150, "STOR /file");
      assertEquals(await stealPort(server, port), "dropped");
      await using data = await connectData(server, port);
      await data.secure();
      await data.write(new TextEncoder().encode("owner's"));
      await data.finish();
      assertEquals((await client.readReply("STOR")).code, 226);
      assertEquals(new TextDecoder().decode(await client.retrieve("/file")), "owner's");
    },
  });
}

for (const protection of ["explicit", "clear"] as const) {
  Deno.test(`EPSV has its port refuse everybody once the owner has connected, ${protection}`, async () => {
    await using server = await TestServer.start({ protection });
    await using client = await server.login();
    const port = await openPassive(client);
    await using first = await connectData(server, port);
    // While the transfer waits, while it runs, and when it has ended.
    await assertNobodyIsServed(server, port);
    await client.expect(150, "LIST");
    await assertNobodyIsServed(server, port);
    await first.secure();
    await first.readAll();
    assertEquals((await client.readReply("LIST")).code, 226);
    await assertNobodyIsServed(server, port);
  });

  Deno.test(`EPSV lends a port without the connections that came while nobody had it, ${protection}`, async () => {
    await using server = await TestServer.start({ protection });
    await using client = await server.login();
    await client.store("/file", new Uint8Array(9));
    const known = new Set<number>();
    for (let round = 0; round < 40; round++) {
      const strangers = await Promise.all([...known].map((port) => connectAnyway(server, port)));
      const port = await openPassive(client);
      await using data = await connectData(server, port);
      await client.expect(150, "RETR /file");
      await data.secure();
      assertEquals((await data.readAll()).length, 9);
      assertEquals((await client.readReply("RETR")).code, 226);
      for (const stranger of strangers) await stranger?.[Symbol.asyncDispose]();
      known.add(port);
    }
  });

  Deno.test(`EPSV lends a port to the next session without what belongs to the one before, ${protection}`, async () => {
    await using server = await TestServer.start({ protection });
    await using former = await server.login();
    await using next = await server.login();
    await former.store("/file", new Uint8Array(9));
    for (let round = 0; round < 40; round++) {
      // Announced, and never used by the session: who comes late finds nobody, or is not taken for the next one.
      const port = await openPassive(former);
      await former.command("ABOR");
      const late = await connectAnyway(server, port);
      assertEquals((await next.retrieve("/file")).length, 9);
      await late?.[Symbol.asyncDispose]();
    }
  });
}

Deno.test("EPSV gives up the port of the one before", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  const port = await openPassive(client);
  await openPassive(client);
  await assertNobodyListens(server, port);
});

/** Makes the TCP part of a data connection, where somebody listens. */
function connectAnyway(server: TestServer, port: number): Promise<RawDataConnection | undefined> {
  return connectData(server, port).catch(() => undefined);
}

async function assertNobodyIsServed(server: TestServer, port: number): Promise<void> {
  await using stranger = await connectAnyway(server, port);
  // The end without a byte, however it comes.
  const received = await stranger?.ended().then(() => stranger.readAll(), () => undefined);
  assertEquals(received?.length ?? 0, 0);
}

async function assertNobodyListens(server: TestServer, port: number): Promise<void> {
  const outcome = await connectData(server, port).then(async (data) => {
    await data[Symbol.asyncDispose]();
    return "accepted";
  }, () => "refused");
  assertEquals(outcome, "refused");
}
