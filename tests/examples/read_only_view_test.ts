import { assertEquals } from "@std/assert";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

Deno.test("read_only_view.ts shows everybody what the editor writes, and has no writing commands for them", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.mkdir(`${folder.path}/files`);
  await using example = await ExampleProgram.start("read_only_view", { cwd: folder.path });
  await using editor = await example.login("editor", "12345");
  await editor.store("news.txt", new TextEncoder().encode("News"));
  await using guest = await example.login();
  assertEquals(new TextDecoder().decode(await guest.retrieve("news.txt")), "News");
  for (const command of ["STOR x", "APPE x", "DELE news.txt", "MKD x", "RNFR news.txt", "SITE CHMOD 600 news.txt"]) {
    assertEquals((await guest.command(command)).code, 502, command);
  }
  const offersTimes = async (client: typeof guest) => (await client.expect(211, "FEAT")).text.includes("MFMT");
  assertEquals([await offersTimes(editor), await offersTimes(guest)], [true, false]);
  await editor.expect(250, "DELE news.txt");
  await example.stop();
});
