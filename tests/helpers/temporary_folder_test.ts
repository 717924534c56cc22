import { assertEquals, assertRejects } from "@std/assert";
import { TemporaryFolder } from "./temporary_folder.ts";

Deno.test("TemporaryFolder is there in its scope, with its files, and gone after it", async () => {
  let path: string;
  {
    await using folder = await TemporaryFolder.create();
    path = folder.path;
    await Deno.writeTextFile(`${path}/a.txt`, "a");
    assertEquals(await Deno.realPath(path), path);
  }
  await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("TemporaryFolder may be removed by the test itself", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.remove(folder.path);
});
