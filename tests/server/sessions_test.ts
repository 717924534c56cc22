import { assert, assertEquals } from "@std/assert";
import type { SessionInfo } from "../../lib/session/session.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

function only({ server }: TestServer): SessionInfo {
  const [session, ...others] = server.sessions;
  assert(session !== undefined);
  assertEquals(others, []);
  return session;
}

Deno.test("FtpServer.sessions follows a client from its connection to its end", async () => {
  await using server = await TestServer.start();
  assertEquals(server.server.sessions, []);
  const before = Date.now();
  await using client = await server.connect();
  const { session, remote } = await server.event("secured");
  const { since, ...secured } = only(server);
  const start = { session, remote, tls: "TLSv1.3", transfer: undefined };
  assertEquals(secured, { ...start, username: undefined, isLoggedIn: false });
  assert(since.getTime() >= before && since.getTime() <= Date.now(), `${since}`);
  await client.expect(331, `USER ${USER.name}`);
  assertEquals(only(server), { ...start, username: USER.name, isLoggedIn: false, since });
  await client.expect(230, `PASS ${USER.password}`);
  assertEquals(only(server), { ...start, username: USER.name, isLoggedIn: true, since });
  await client.expect(221, "QUIT");
  await server.event("disconnected");
  assertEquals(server.server.sessions, []);
});

Deno.test("FtpServer.sessions tells of a control connection in clear", async () => {
  await using server = await TestServer.start({ protection: "clear" });
  await using _client = await server.connect();
  assertEquals(only(server).tls, undefined);
});

Deno.test("FtpServer.disconnect() cuts what a session does, and tells it why", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  await using _other = await server.login();
  await client.expect(200, "TYPE I");
  await using data = await client.passive();
  await client.expect(150, "STOR /file");
  await data.secure();
  const { session } = await server.event("transferStarted");
  assert(server.server.disconnect(session, "Night shift is over."));
  assertEquals((await client.readReply()).text, "426 Transfer aborted by the server.");
  assertEquals((await client.readReply()).text, "421 Night shift is over.");
  assertEquals((await server.event("disconnected")).reason, "Night shift is over.");
  assertEquals((await server.event("transferIncomplete")).reason, "Night shift is over.");
  assert(!server.server.sessions.map(({ session }) => session).includes(session));
  assert(!server.server.disconnect(session));
});

Deno.test("FtpServer.sessions has each client once", async () => {
  await using server = await TestServer.start();
  await using _one = await server.login();
  await using _other = await server.login({ username: "anonymous" });
  assertEquals(server.server.sessions.map(({ username }) => username).toSorted(), ["anonymous", USER.name]);
});

Deno.test("FtpServer.sessions tells how far an upload has come, and of no listing", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await using data = await client.passive();
  await client.expect(150, "STOR a file");
  await data.secure();
  await data.write(new Uint8Array(1000));
  const { seconds, ...transfer } = await transferOf(server, client);
  assertEquals(transfer, { command: "STOR", path: "/a file", bytes: 1000 });
  assert(seconds > 0 && seconds < 60, `${seconds}`);
  await data.finish();
  assertEquals((await client.readReply("STOR")).code, 226);
  assertEquals(only(server).transfer, undefined);

  await using listing = await client.passive();
  await client.expect(150, "LIST");
  assertEquals(only(server).transfer, undefined);
  await listing.secure();
  await listing.ended();
  await client.readReply("LIST");
});

/** What is told once bytes have come; STAT, which is answered during a transfer, gives them the time. */
async function transferOf(server: TestServer, client: RawClient): Promise<NonNullable<SessionInfo["transfer"]>> {
  for (;;) {
    const { transfer } = only(server);
    if (transfer !== undefined && transfer.bytes > 0) return transfer;
    await client.expect(211, "STAT");
  }
}
