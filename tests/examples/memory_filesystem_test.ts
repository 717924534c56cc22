import { assertEquals } from "@std/assert";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

Deno.test("memory_filesystem.ts offers files that it makes, and takes uploads, without a disk", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await ExampleProgram.start("memory_filesystem", { cwd: folder.path });
  await using guest = await example.login();
  const latest = async () => JSON.parse(new TextDecoder().decode(await guest.retrieve("latest.json")));
  assertEquals(await latest(), null);
  assertEquals((await guest.command("DELE latest.json")).code, 502);
  await using camera = await example.login("camera", "12345");
  await camera.store("/still.jpg", new Uint8Array(1000));
  const { path, bytes } = await latest();
  assertEquals([path, bytes], ["/still.jpg", 1000]);
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
  await example.stop();
});

Deno.test("memory_filesystem.ts refuses an upload that is larger than the memory it gives", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await ExampleProgram.start("memory_filesystem", { cwd: folder.path });
  await using camera = await example.login("camera", "12345");
  await camera.expect(200, "TYPE I");
  await using data = await camera.passive();
  await camera.expect(150, "STOR /film");
  await data.secure();
  const piece = new Uint8Array(1024 * 1024);
  for (let count = 0; count <= 64; count++) await data.write(piece);
  assertEquals((await camera.readReply("STOR")).code, 452);
  await example.stop();
});
