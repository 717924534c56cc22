import { assert, assertEquals } from "@std/assert";
import { startTransfer } from "../helpers/dialogue.ts";
import { QuotaServer, quotasOf, upload } from "../helpers/quota_server.ts";
import type { RawClient } from "../helpers/raw_client.ts";

const LIMIT = 10_000;

/** Starts a server with two users of a group who share a folder. */
function start(more = ""): Promise<QuotaServer> {
  return QuotaServer.start({
    more: `groups: { partners: { quota: { bytes: ${LIMIT}, files: 5 } } }\n${more}`,
    users: { alice: "home: shared, groups: [partners]", bob: "home: shared, groups: [partners]" },
  });
}

/** What is stored is within the limits, and is what is counted. */
async function assertKept(server: QuotaServer, client: RawClient): Promise<void> {
  const { bytes, files } = await server.stored("shared");
  assert(bytes <= LIMIT, `${bytes} bytes are stored`);
  assert(files <= 5, `${files} files are stored`);
  assertEquals(await quotasOf(client), [
    `group partners: ${bytes} bytes of ${LIMIT}, ${LIMIT - bytes} left`,
    `group partners: ${files} files of 5, ${5 - files} left`,
  ]);
}

Deno.test("A quota cannot be got around by REST, in a file or beyond its end", async () => {
  await using server = await start();
  await using client = await server.login("alice");
  assertEquals((await upload(client, "STOR a", [LIMIT - 1])).code, 226);
  await client.expect(350, "REST 5000");
  assertEquals((await upload(client, "STOR a", [LIMIT])).code, 552);
  await client.expect(350, `REST ${LIMIT - 1}`);
  assertEquals((await upload(client, "STOR a", [2])).code, 552);
  await client.expect(350, `REST ${2 ** 40}`);
  await using _data = await client.passive();
  await client.expect(554, "STOR a");
  await client.expect(350, `REST ${LIMIT - 1}`);
  assertEquals((await upload(client, "STOR a", [1])).code, 226);
  await assertKept(server, client);
});

Deno.test("A quota cannot be got around by renaming", async () => {
  await using server = await start();
  await using client = await server.login("alice");
  await client.expect(257, "MKD d");
  assertEquals((await upload(client, "STOR d/a", [4000])).code, 226);
  assertEquals((await upload(client, "STOR b", [4000])).code, 226);
  // Onto itself, in all ways of saying so.
  for (const to of ["b", "/b", "./b", "d/../b"]) {
    await client.expect(350, "RNFR b");
    await client.command(`RNTO ${to}`);
    await assertKept(server, client);
  }
  await using data = await startTransfer(client, "STOR d/new");
  await data.write(new Uint8Array(1500));
  await using other = await server.login("bob");
  for (const from of ["d/new", "d"]) {
    await other.expect(350, `RNFR ${from}`).catch(() => {});
    await other.command(`RNTO ${from}-moved`);
  }
  await other.command("MKD d");
  await client.send("ABOR\r\n");
  assertEquals((await client.readReply()).code, 426);
  await client.readReply();
  await assertKept(server, client);
});

Deno.test("A quota cannot be got around by removing what is being written, through another account", async () => {
  await using server = await start();
  await using alice = await server.login("alice");
  await using bob = await server.login("bob");
  for (let round = 0; round < 5; round++) {
    {
      await using data = await startTransfer(alice, "STOR a");
      await data.write(new Uint8Array(3000));
      while ((await bob.command("SIZE a")).text !== "213 3000") await bob.expect(200, "NOOP");
      assertEquals((await bob.command("DELE a")).text, "450 File is being written by another transfer.");
      await using _data = await bob.passive();
      assertEquals((await bob.command("STOR a")).code, 450);
    }
    assertEquals((await alice.readReply()).code, 226);
    await assertKept(server, alice);
  }
  await bob.expect(250, "DELE a");
  await assertKept(server, alice);
});

Deno.test("A quota cannot be got around by removing what is being written, through a mount of another account", async () => {
  await using server = await QuotaServer.start({
    more: `groups: { partners: { quota: { bytes: ${LIMIT} } } }\n`,
    users: {
      alice: "home: shared, groups: [partners]",
      bob: "home: own, mounts: [{ path: /m, home: shared }], groups: [partners]",
    },
  });
  await using alice = await server.login("alice");
  await using bob = await server.login("bob");
  await using data = await startTransfer(alice, "STOR a");
  await data.write(new Uint8Array(3000));
  while ((await bob.command("SIZE m/a")).text !== "213 3000") await bob.expect(200, "NOOP");
  await bob.expect(450, "DELE m/a");
});

for (const atomic of [false, true]) {
  Deno.test(`A quota cannot be got around by cutting uploads again and again, atomic ${atomic}`, async () => {
    await using server = await start(`upload: { atomic: ${atomic} }\n`);
    await using client = await server.login("alice");
    for (let round = 0; round < 12; round++) {
      const line = ["STOR a", "APPE b", "STOU", "STOR c"][round % 4] ?? "";
      await using data = await client.passive();
      const { code } = await client.command(line);
      if (code === 552) continue;
      assertEquals(code, 150);
      await data.write(new Uint8Array(1700));
      await client.send("ABOR\r\n");
      const ended = await client.readReply();
      assert(ended.code === 426 || ended.code === 552, ended.text);
      await client.readReply();
    }
    await assertKept(server, client);
    assertEquals((await upload(client, "STOR a", [LIMIT + 1])).code, 552);
    await assertKept(server, client);
  });
}

Deno.test("Two accounts of a group have no more than the group, however they take turns", async () => {
  await using server = await start();
  const clients = [await server.login("alice"), await server.login("bob"), await server.login("alice")];
  await using stack = new AsyncDisposableStack();
  for (const client of clients) stack.use(client);
  const [alice] = clients;
  assert(alice !== undefined);
  for (let round = 0; round < 3; round++) {
    const replies = await Promise.all(clients.map((client, index) => upload(client, `STOR f${index}`, [3000, 997, 3])));
    for (const { code } of replies) assert([226, 552].includes(code), `${code}`);
    await assertKept(server, alice);
  }
  for (const name of ["f0", "f1", "f2"]) await alice.command(`DELE ${name}`);
  await alice.expect(257, "MKD empty");
  await alice.expect(250, "RMD empty");
  assertEquals((await upload(alice, "STOR g", [10])).code, 226);
  assertEquals((await alice.command("MFMT 20200101000000 g")).code, 213);
  assertEquals((await alice.command("SITE CHMOD 600 g")).code, 200);
  await assertKept(server, alice);
});
