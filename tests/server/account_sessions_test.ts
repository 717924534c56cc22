import { assert, assertEquals, assertGreater } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { MORE_THAN_KERNELS_HOLD, stallDownload, startTransfer } from "../helpers/dialogue.ts";
import { GatedFileSystem } from "../helpers/gated_filesystem.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

/** A server whose user may have one session; there is a second user. */
async function start(home = new MemoryFileSystem()): Promise<TestServer> {
  const authorizer = new VirtualAuthorizer();
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

/** Ways in which a user leaves while a transfer runs: what is sent, its reply, and whether the session goes on. */
const LEAVING = [["REIN", 230, true], ["USER other", 331, true], ["QUIT", 221, false]] as const;

async function isFull(server: TestServer): Promise<boolean> {
  await using client = await server.connect();
  return await loginCode(client) === 421;
}

for (const [line, code, goesOn] of LEAVING) {
  Deno.test(`limits.connections of an account counts a download to its end, and no longer: ${line}`, async () => {
    await using server = await start(MemoryFileSystem.of({ "/large": new Uint8Array(MORE_THAN_KERNELS_HOLD) }));
    await using client = await server.login();
    await client.expect(200, "TYPE I");
    await using download = await stallDownload(client, "RETR /large");
    await client.expect(code, line);
    assert(await isFull(server));
    download.release();
    await download.data.readAll();
    assertEquals((await client.readReply()).code, 226);
    if (!goesOn) await client.closed();
    await using next = await server.login();
    assert(await isFull(server));
    if (goesOn) assertEquals((await client.command("NOOP")).code, 200);
    await next.expect(200, "NOOP");
  });

  Deno.test(`limits.connections of an account counts an upload to its end, however that comes: ${line}`, async () => {
    await using server = await start();
    await using client = await server.login();
    const remote = `127.0.0.1:${client.localPort}`;
    await using data = await startTransfer(client, "STOR /file");
    await data.write(new Uint8Array(10));
    await client.expect(code, line);
    assert(await isFull(server));
    await (goesOn ? client.reset() : data[Symbol.asyncDispose]());
    await server.event("disconnected", (event) => event.remote === remote);
    await using _next = await server.login();
  });
}

Deno.test("limits.connections of an account lets a session in again whose own transfer was still running", async () => {
  await using server = await start(MemoryFileSystem.of({ "/large": new Uint8Array(MORE_THAN_KERNELS_HOLD) }));
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await using download = await stallDownload(client, "RETR /large");
  await client.send(`REIN\r\nUSER ${USER.name}\r\nPASS ${USER.password}\r\n`);
  assertEquals([(await client.readReply()).code, (await client.readReply()).code], [230, 331]);
  assert(await isFull(server));
  download.release();
  await download.data.readAll();
  assertEquals([(await client.readReply()).code, (await client.readReply()).code], [226, 230]);
  assert(await isFull(server));
});

for (const [line, code] of LEAVING) {
  Deno.test(`limits.bandwidth of an account holds for a download whose user has left before its first byte: ${line}`, async () => {
    const rate = 512 * 1024;
    const home = new GatedFileSystem();
    await home.put("/file", new Uint8Array(rate / 2));
    const authorizer = new VirtualAuthorizer();
    const limits = { bandwidth: { download: rate } };
    authorizer.addUser(USER.name, USER.password, home, { limits });
    await using server = await TestServer.start({ server: { authorizer } });
    await using client = await server.login();
    await client.expect(200, "TYPE I");
    await using data = await client.passive();
    const waits = home.shut();
    await client.send(`RETR /file\r\n${line}\r\n`);
    await waits;
    const startedAt = performance.now();
    home.open();
    const codes = [(await client.readReply()).code, (await client.readReply()).code];
    assertEquals(codes.toSorted(), [150, code]);
    await data.secure();
    await data.readAll();
    // Half a second, less the burst and what clocks are off.
    assertGreater(performance.now() - startedAt, 350);
    assertEquals((await client.readReply()).code, 226);
  });
}

Deno.test("limits.connections of an account does not count logins that fail", async () => {
  await using server = await start();
  await using client = await server.connect();
  await client.expect(331, `USER ${USER.name}`);
  await client.expect(530, "PASS wrong");
  assertEquals(await loginCode(client), 230);
});
