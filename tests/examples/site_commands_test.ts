import { assertEquals, assertStringIncludes } from "@std/assert";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

Deno.test("site_commands.ts counts the entries of a directory by SITE COUNT, and tells of it in SITE HELP", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await ExampleProgram.start("site_commands", { cwd: folder.path });
  await using client = await example.login("user", "12345");
  assertEquals((await client.command("SITE COUNT /docs")).text, "213 2 entries");
  assertEquals((await client.command("SITE COUNT ../../docs")).text, "213 2 entries");
  assertEquals((await client.command("SITE COUNT /none")).text, "550 No such file or directory.");
  assertEquals((await client.command("SITE COUNT")).code, 501);
  assertStringIncludes((await client.expect(214, "SITE HELP")).text, "COUNT");
  await example.stop();
});

Deno.test("site_commands.ts takes commands away, asks for other permissions, and refuses programs", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await ExampleProgram.start("site_commands", { cwd: folder.path });
  await using client = await example.login("user", "12345");
  assertEquals((await client.command("SITE CHMOD 600 /docs/one.txt")).code, 500);
  assertEquals((await client.command("HASH /docs/one.txt")).code, 500);
  assertEquals((await client.command("RNFR /docs/one.txt")).text, "550 Not enough privileges.");
  await client.store("/setup.txt", new TextEncoder().encode("text"));
  await using _data = await client.passive();
  assertEquals((await client.command("STOR /Setup.EXE")).text, "550 Programs are not taken.");
  await example.line(/^127\.0\.0\.1:\d+ STOR: 550 Programs are not taken\.$/);
  await example.stop();
});

Deno.test("site_commands.ts turns away hosts that are not served", async () => {
  await using folder = await TemporaryFolder.create();
  const exchange = { "192.0.2.7": "127.0.0.1" };
  await using example = await ExampleProgram.start("site_commands", { cwd: folder.path, exchange });
  await using client = await RawClient.connect({ host: "127.0.0.1", port: await example.port() });
  assertEquals((await client.readReply("connecting")).text, "421 This host is not served.");
  await client.closed();
  await example.stop();
});
