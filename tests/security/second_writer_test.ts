import { assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { startTransfer } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";

const HALF = new TextEncoder().encode("half");

/** Waits until so much of the upload is in the file. */
async function waitForSize(client: RawClient, size: number): Promise<void> {
  const deadline = Date.now() + 10_000;
  while ((await client.command("SIZE /file")).text !== `213 ${size}`) {
    if (Date.now() > deadline) throw new Error(`The file never came to ${size} bytes`);
  }
}

for (const kind of ["LocalFileSystem", "MemoryFileSystem"] as const) {
  for (const [first, expected] of [["STOR", "halfhalf"], ["APPE", "before halfhalf"]] as const) {
    Deno.test(`STOR and APPE reply 450 for a file that ${first} is writing, which goes on, in a ${kind}`, async () => {
      await using folder = await TemporaryFolder.create();
      const isLocal = kind === "LocalFileSystem";
      await using server = await TestServer.start({ home: isLocal ? folder.path : new MemoryFileSystem() });
      await using owner = await server.login();
      await using other = await server.login();
      for (const client of [owner, other]) await client.expect(200, "TYPE I");
      await owner.store("/file", new TextEncoder().encode("before "));
      const names = ["/file", "/folder/../file"];
      if (isLocal) {
        await Deno.symlink("file", `${folder.path}/link`);
        await Deno.link(`${folder.path}/file`, `${folder.path}/hard`);
        names.push("/link", "/hard");
      }

      await using data = await startTransfer(owner, `${first} /file`);
      await data.write(HALF);
      await waitForSize(other, first === "STOR" ? 4 : 11);
      for (const name of names) {
        await using _unused = await other.passive();
        for (const line of [`STOR ${name}`, `APPE ${name}`]) {
          assertEquals((await other.command(line)).text, "450 File is being written by another transfer.", line);
        }
        await other.expect(350, "REST 2");
        assertEquals((await other.command(`STOR ${name}`)).code, 450);
      }
      await data.write(HALF);
      await data.finish();
      assertEquals((await owner.readReply(first)).code, 226);
      assertEquals(new TextDecoder().decode(await owner.retrieve("/file")), expected);

      await other.store("/file", HALF); // free again
      assertEquals(new TextDecoder().decode(await owner.retrieve("/file")), "half");
    });
  }
}

Deno.test("STOR may go on where an upload was cut: the file is free again", async () => {
  await using server = await TestServer.start();
  await using owner = await server.login();
  await using other = await server.login();
  await using data = await startTransfer(owner, "STOR /file");
  await data.write(HALF);
  await data.reset();
  assertEquals((await owner.readReply("STOR")).code, 426);
  await other.store("/file", HALF);
});
