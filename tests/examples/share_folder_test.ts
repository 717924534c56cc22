import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

Deno.test("share_folder.ts lets anybody read, over TLS, and nobody write", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/hello.txt`, "Hello");
  await using example = await ExampleProgram.start("share_folder", { cwd: folder.path });
  await using client = await example.login();
  assertStringIncludes(await client.list("NLST"), "hello.txt");
  assertEquals(new TextDecoder().decode(await client.retrieve("hello.txt")), "Hello");
  assertEquals((await client.command("DELE hello.txt")).text, "550 Not enough privileges.");
  await example.stop();
  assertEquals((await client.readReply("Ctrl-C")).code, 421);
});

Deno.test("share_folder.ts lets a download end after Ctrl-C, and lets nobody else in", async () => {
  await using folder = await TemporaryFolder.create();
  const content = new Uint8Array(16 * 1024 * 1024).map((_, index) => index >> 8);
  await Deno.writeFile(`${folder.path}/large`, content);
  await using example = await ExampleProgram.start("share_folder", { cwd: folder.path });
  await using client = await example.login();
  await client.expect(200, "TYPE I");
  await using data = await client.passive();
  await client.expect(150, "RETR large");
  const stopped = example.stop();
  await assertRejects(async () => {
    for (;;) await (await example.connect())[Symbol.asyncDispose](); // Until the signal has arrived.
  });
  await data.secure();
  assertEquals(await data.readAll(), content);
  assertEquals((await client.readReply("RETR")).code, 226);
  assertEquals((await client.readReply("Ctrl-C")).code, 421);
  await stopped;
});
