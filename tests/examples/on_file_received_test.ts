import { assertEquals } from "@std/assert";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

const HELLO = new TextEncoder().encode("Hello");
const SHA256_OF_HELLO = "185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969";

async function start(folder: TemporaryFolder): Promise<ExampleProgram> {
  await Deno.mkdir(`${folder.path}/inbox`);
  return await ExampleProgram.start("on_file_received", { cwd: folder.path });
}

Deno.test("on_file_received.ts works on each file that has come, in turn, and on no other", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await start(folder);
  await using client = await example.login("scanner", "12345");
  await client.expect(200, "TYPE I");
  await using cut = await client.passive();
  await client.expect(150, "STOR /cut");
  await cut.secure();
  await cut.write(HELLO);
  await cut.reset();
  assertEquals((await client.readReply("STOR")).code, 426);
  for (const path of ["/one", "/two", "/three"]) await client.store(path, HELLO);
  await example.line(/^\/cut is incomplete: the data connection was reset$/);
  await example.line(/^\/three: /);
  assertEquals(
    example.lines.filter((line) => line.includes("SHA-256")),
    ["/one", "/two", "/three"].map((path) => `${path}: 5 bytes, SHA-256 ${SHA256_OF_HELLO}`),
  );
  await example.stop();
});

Deno.test("on_file_received.ts works on what has come before it ends, and tells of a failed login", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await start(folder);
  await using stranger = await example.connect();
  await stranger.expect(331, "USER scanner");
  await stranger.expect(530, "PASS wrong");
  await example.line(/^Login of scanner from 127\.0\.0\.1:\d+ failed$/);
  await using client = await example.login("scanner", "12345");
  await client.store("/last", HELLO);
  await example.stop();
  await example.line(/^\/last: 5 bytes/);
});
