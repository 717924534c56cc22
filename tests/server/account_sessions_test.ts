import { assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory_filesystem.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

/** A server whose user may have one session; there is a second user. */
async function start(): Promise<TestServer> {
  const authorizer = new VirtualAuthorizer();
  const home = new MemoryFileSystem();
  authorizer.addUser(USER.name, USER.password, home, { permissions: "elrw", limits: { connections: 1 } });
  authorizer.addUser("other", USER.password, home);
  return await TestServer.start({ server: { authorizer } });
}

async function loginCode(client: RawClient, username: string = USER.name): Promise<number> {
  await client.expect(331, `USER ${username}`);
  return (await client.command(`PASS ${USER.password}`)).code;
}

Deno.test("limits.connections of an account refuses the second session with 421; the first goes on", async () => {
  await using server = await start();
  await using first = await server.login();
  await using second = await server.connect();
  await second.expect(331, `USER ${USER.name}`);
  assertEquals((await second.expect(421, `PASS ${USER.password}`)).text, "421 Too many sessions of this user.");
  await second.closed();
  await first.expect(200, "NOOP");
  await first.store("file", new Uint8Array(10));
  await using other = await server.connect();
  assertEquals(await loginCode(other, "other"), 230);
});

/** Ways in which a session leaves its account. */
const ENDS: readonly (readonly [how: string, leave: (client: RawClient, server: TestServer) => Promise<unknown>])[] = [
  ["QUIT", (client) => client.expect(221, "QUIT")],
  ["REIN", (client) => client.expect(230, "REIN")],
  ["USER", (client) => client.expect(331, "USER other")],
  ["a cut connection", async (client, server) => {
    await client.reset();
    await server.event("disconnected");
  }],
];

for (const [how, leave] of ENDS) {
  Deno.test(`limits.connections of an account gives a place free after ${how}`, async () => {
    await using server = await start();
    for (let times = 0; times < 3; times++) {
      await using client = await server.login();
      server.events.length = 0;
      await leave(client, server);
    }
    await using _last = await server.login();
    await using refused = await server.connect();
    assertEquals(await loginCode(refused), 421);
  });
}

Deno.test("limits.connections of an account does not count logins that fail", async () => {
  await using server = await start();
  await using client = await server.connect();
  await client.expect(331, `USER ${USER.name}`);
  await client.expect(530, "PASS wrong");
  assertEquals(await loginCode(client), 230);
});
