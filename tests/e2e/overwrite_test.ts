import { assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TestServer } from "../helpers/test_server.ts";

const OLD = new TextEncoder().encode("old content");
const NEW = new TextEncoder().encode("new");

async function start({ atomic }: { readonly atomic: boolean }): Promise<TestServer> {
  const home = MemoryFileSystem.of({ "/file": OLD, "/other": NEW, "/folder/x": NEW });
  return await TestServer.start({
    home,
    server: { upload: { atomic, overwrite: false }, timeouts: { passive: 0.2 } },
  });
}

async function login(server: TestServer): Promise<RawClient> {
  const client = await server.login();
  await client.expect(200, "TYPE I");
  return client;
}

/** Sends a command that must be refused before any data connection is asked for. */
async function assertExists(client: RawClient, command: string): Promise<void> {
  await using _data = await client.passive();
  assertEquals((await client.command(command)).text, "550 File exists.");
}

for (const atomic of [false, true]) {
  const name = `upload { atomic: ${atomic}, overwrite: false }`;

  Deno.test(`${name} refuses STOR onto what is there, and takes new names`, async () => {
    await using server = await start({ atomic });
    await using client = await login(server);
    await assertExists(client, "STOR file");
    await assertExists(client, "STOR folder");
    assertEquals(await client.retrieve("file"), OLD);
    await client.store("new", NEW);
    assertEquals(await client.retrieve("new"), NEW);
    await assertExists(client, "STOR new");
  });

  Deno.test(`${name} lets REST and APPE go on at the end of a file, and nowhere else`, async () => {
    await using server = await start({ atomic });
    await using client = await login(server);
    await client.expect(350, "REST 3");
    await assertExists(client, "STOR file");
    await client.expect(350, `REST ${OLD.length}`);
    await client.store("file", NEW);
    await client.store("file", NEW, "APPE");
    assertEquals(new TextDecoder().decode(await client.retrieve("file")), "old contentnewnew");
  });

  Deno.test(`${name} lets nobody go on by REST who may not append`, async () => {
    const authorizer = new VirtualAuthorizer();
    authorizer.addUser("anne", "secret", MemoryFileSystem.of({ "/file": OLD }), { permissions: "elrw" });
    await using server = await TestServer.start({ server: { authorizer, upload: { atomic, overwrite: false } } });
    await using client = await server.connect();
    await client.login("anne", "secret");
    await client.expect(200, "TYPE I");
    await client.expect(350, `REST ${OLD.length}`);
    await assertExists(client, "STOR file");
    assertEquals(await client.retrieve("file"), OLD);
  });

  Deno.test(`${name} refuses RNTO onto what is there`, async () => {
    await using server = await start({ atomic });
    await using client = await login(server);
    for (const to of ["file", "folder", "other"]) {
      await client.expect(350, "RNFR other");
      assertEquals((await client.command(`RNTO ${to}`)).text, "550 File exists.");
    }
    await client.expect(350, "RNFR other");
    await client.expect(250, "RNTO another");
  });

  Deno.test(`${name} leaves nothing in the way of an upload that had no data connection`, async () => {
    await using server = await start({ atomic });
    await using client = await login(server);
    await client.expect(229, "EPSV");
    await client.expect(150, "STOR new");
    assertEquals((await client.readReply("STOR")).code, 425);
    await client.store("new", NEW);
    assertEquals(await client.retrieve("new"), NEW);
  });
}

Deno.test("upload { atomic: true, overwrite: false } lets the first of two uploads of one name win", async () => {
  await using server = await start({ atomic: true });
  await using first = await login(server);
  await using second = await login(server);
  await using data = await first.passive();
  await first.expect(150, "STOR new");
  await data.secure();
  await data.write(OLD);
  await second.store("new", NEW);
  await data.finish();
  assertEquals((await first.readReply("STOR")).text, "550 File exists.");
  assertEquals(await second.retrieve("new"), NEW);
});
