import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startTransfer } from "../helpers/dialogue.ts";
import { QuotaServer, quotasOf, upload } from "../helpers/quota_server.ts";

Deno.test("STOR replies 552 in the middle of an upload that a quota has no room for", async () => {
  await using server = await QuotaServer.start({ users: { alice: "quota: { bytes: 100000 }" } });
  await using client = await server.login("alice");
  assertEquals((await upload(client, "STOR a", [60_000])).text, "226 Transfer complete.");
  assertEquals((await upload(client, "STOR b", [30_000, 30_000])).text, "552 Quota exceeded.");
  assert((await server.stored("alice")).bytes <= 100_000);
  assertStringIncludes((await server.event("transferIncomplete")).reason, "Cannot store more bytes");
  await client.expect(250, "DELE b");
  assertEquals((await upload(client, "APPE a", [40_000])).text, "226 Transfer complete.");
  assertEquals(await server.stored("alice"), { bytes: 100_000, files: 1 });
  assertEquals((await upload(client, "STOR a", [10])).text, "226 Transfer complete.");
  assertEquals(await quotasOf(client), ["user alice: 10 bytes of 100000, 99990 left", "user alice: 1 files, no limit"]);
});

Deno.test("STOR and STOU reply 552 before the transfer when a quota takes no more files", async () => {
  await using server = await QuotaServer.start({ users: { alice: "quota: { files: 1 }" } });
  await using client = await server.login("alice");
  assertEquals((await upload(client, "STOR a", [5])).code, 226);
  for (const line of ["STOR b", "APPE b", "STOU"]) {
    await using _data = await client.passive();
    assertEquals((await client.command(line)).text, "552 Quota exceeded.", line);
  }
  await client.expect(257, "MKD folder");
  assertEquals((await upload(client, "STOR a", [9])).code, 226);
  assertEquals(await server.stored("alice"), { bytes: 9, files: 1 });
});

Deno.test("SITE QUOTA shows what the account and its groups have, AVBL the least that is left", async () => {
  await using server = await QuotaServer.start({
    more: "groups: { partners: { quota: { bytes: 1000, files: 10 } }, others: { quota: { bytes: 1 } } }\n",
    users: { alice: "groups: [partners], quota: { bytes: 5000 }", bob: "groups: [partners]", carol: "" },
  });
  await using alice = await server.login("alice");
  await using bob = await server.login("bob");
  await using carol = await server.login("carol");
  assertEquals((await upload(bob, "STOR b", [300])).code, 226);
  assertEquals((await upload(alice, "STOR a", [200])).code, 226);
  assertEquals(await quotasOf(alice), [
    "user alice: 200 bytes of 5000, 4800 left",
    "user alice: 1 files, no limit",
    "group partners: 500 bytes of 1000, 500 left",
    "group partners: 2 files of 10, 8 left",
  ]);
  assertEquals((await alice.expect(213, "AVBL")).text, "213 500");
  assertEquals((await upload(alice, "STOR c", [501])).code, 552);
  assertEquals((await upload(bob, "STOR c", [501])).code, 552);
  assertEquals((await upload(bob, "STOR c", [500])).code, 226);
  assertEquals((await carol.command("SITE QUOTA")).code, 502);
  assertMatch((await alice.command("SITE HELP QUOTA")).text, /SITE QUOTA/);
});

Deno.test("Uploads wait until what was there before is counted, logins do not", async () => {
  await using server = await QuotaServer.start({ users: { alice: "quota: { bytes: 1000 }" } });
  await Deno.mkdir(`${server.folder}/alice/old`);
  await Deno.writeTextFile(`${server.folder}/alice/old/file`, "x".repeat(900));
  await using client = await server.login("alice");
  assertEquals((await upload(client, "STOR a", [101])).code, 552);
  assertEquals((await upload(client, "STOR a", [100])).code, 226);
});

Deno.test("Uploads at once over two event loops never exceed a quota by a byte, and cut ones give it back", async () => {
  const limit = 1_000_000;
  await using server = await QuotaServer.start({
    users: { alice: `quota: { bytes: ${limit} }` },
    more: "upload: { atomic: true }\n",
  });
  const clients = await Promise.all(Array.from({ length: 10 }, () => server.login("alice")));
  await using stack = new AsyncDisposableStack();
  for (const client of clients) stack.use(client);
  const loops = new Set(server.events.flatMap((event) => "session" in event ? [event.session?.split("-")[0]] : []));
  assertEquals(loops.size, 2);
  const sizes = Array.from({ length: 20 }, () => 9973);
  // 10 times 199,460 bytes: five have room.
  const replies = await Promise.all(clients.map((client, index) => upload(client, `STOR ${index}`, sizes)));
  const done = replies.filter(({ code }) => code === 226).length;
  assertEquals(replies.filter(({ code }) => code === 226 || code === 552).length, 10, Deno.inspect(replies));
  const { bytes } = await server.stored("alice");
  assertEquals(bytes, done * 199_460);
  assert(bytes <= limit);
  const [first] = clients;
  assert(first !== undefined);
  assertEquals((await quotasOf(first))[0], `user alice: ${bytes} bytes of ${limit}, ${limit - bytes} left`);
  for (const [index, { code }] of replies.entries()) if (code === 226) await first.expect(250, `DELE ${index}`);
  await using cut = await startTransfer(first, "STOR cut");
  await cut.write(new Uint8Array(500_000));
  await first.send("ABOR\r\n");
  assertEquals((await first.readReply()).code, 426);
  assertEquals((await first.readReply()).code, 226);
  assertEquals((await upload(first, "STOR all", [500_000, 500_000])).code, 226);
  assertEquals((await quotasOf(first))[0], `user alice: ${limit} bytes of ${limit}, 0 left`);
});

Deno.test("A quota in a file outlives the server", async () => {
  const state = await Deno.makeTempFile({ prefix: "ftpsd_test_" });
  await Deno.remove(state);
  const options = {
    more: `state: { type: sqlite, file: ${state} }\n`,
    users: { alice: "quota: { bytes: 1000 }" },
  };
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(state));
  {
    await using server = await QuotaServer.start(options);
    await using client = await server.login("alice");
    assertEquals((await upload(client, "STOR a", [600])).code, 226);
  }
  // Another folder, of which nothing is counted, since the count is there.
  await using server = await QuotaServer.start(options);
  await using client = await server.login("alice");
  assertEquals((await upload(client, "STOR b", [401])).code, 552);
});
