import { assertEquals, assertStringIncludes } from "@std/assert";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

Deno.test("share_folder.ts lets anybody read, over TLS, and nobody write", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/hello.txt`, "Hello");
  await using example = await ExampleProgram.start("share_folder", { cwd: folder.path });
  await using client = await example.login();
  assertStringIncludes(await client.list("NLST"), "hello.txt");
  assertEquals(new TextDecoder().decode(await client.retrieve("hello.txt")), "Hello");
  assertEquals((await client.command("DELE hello.txt")).code, 550);
  await example.stop();
  assertEquals((await client.readReply("Ctrl-C")).code, 421);
});

Deno.test("share_folder.ts lets a download end after Ctrl-C", async () => {
  await using folder = await TemporaryFolder.create();
  const content = crypto.getRandomValues(new Uint8Array(65_536));
  const whole = new Uint8Array(64 * content.length);
  for (let index = 0; index < 64; index++) whole.set(content, index * content.length);
  await Deno.writeFile(`${folder.path}/large`, whole);
  await using example = await ExampleProgram.start("share_folder", { cwd: folder.path });
  await using client = await example.login();
  await client.expect(200, "TYPE I");
  await using data = await client.passive();
  await client.expect(150, "RETR large");
  const stopped = example.stop();
  await data.secure();
  assertEquals(await data.readAll(), whole);
  assertEquals((await client.readReply("RETR")).code, 226);
  assertEquals((await client.readReply("Ctrl-C")).code, 421);
  await stopped;
});
