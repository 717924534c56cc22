import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import type { RawClient } from "../helpers/raw_client.ts";
import { mountRefusal, SmallDisk } from "../helpers/small_disk.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

/** Why there is no small disk; `undefined` where there is one. */
const REFUSAL = await mountRefusal();

async function start(folder: { readonly path: string }): Promise<ExampleProgram> {
  await Deno.mkdir(`${folder.path}/archive`);
  return await ExampleProgram.start("transform_uploads", { cwd: folder.path });
}

async function decompressed(path: string): Promise<Uint8Array> {
  const file = await Deno.open(path);
  return await new Response(file.readable.pipeThrough(new DecompressionStream("gzip"))).bytes();
}

async function namesIn(folder: { readonly path: string }): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(`${folder.path}/archive`))).map(({ name }) => name);
}

/** Bytes that gzip makes smaller, but not to nothing. */
function sample(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * index >> 7) & 0xff);
}

Deno.test("transform_uploads.ts stores what is uploaded as gzip, under a name that says so", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await start(folder);
  await using client = await example.login("user", "12345");
  await client.expect(200, "TYPE I");
  const content = sample(5_000_000);
  await client.store("/report.bin", content);
  assertEquals(await namesIn(folder), ["report.bin.gz"]);
  assertEquals(await decompressed(`${folder.path}/archive/report.bin.gz`), content);
  const { size } = await Deno.stat(`${folder.path}/archive/report.bin.gz`);
  assertLess(size, content.length);
  assertEquals(await client.retrieve("/report.bin.gz"), await Deno.readFile(`${folder.path}/archive/report.bin.gz`));
  await client.store("/empty", new Uint8Array());
  assertEquals(await decompressed(`${folder.path}/archive/empty.gz`), new Uint8Array());
  await example.stop();
});

Deno.test("transform_uploads.ts keeps the old file when an upload is cut, and nothing of the new one", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await start(folder);
  await using client = await example.login("user", "12345");
  await client.expect(200, "TYPE I");
  await client.store("/report.bin", new TextEncoder().encode("old"));
  await cutUpload(client, "/report.bin");
  await cutUpload(client, "/other.bin");
  assertEquals(await namesIn(folder), ["report.bin.gz"]);
  assertEquals(new TextDecoder().decode(await decompressed(`${folder.path}/archive/report.bin.gz`)), "old");
  await client.store("/report.bin", new TextEncoder().encode("new"));
  assertEquals(new TextDecoder().decode(await decompressed(`${folder.path}/archive/report.bin.gz`)), "new");
  await example.stop();
});

Deno.test("transform_uploads.ts refuses what cannot be compressed whole, and has no other writing commands", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await start(folder);
  await using client = await example.login("user", "12345");
  await using data = await client.passive();
  assertEquals((await client.command("STOU")).code, 502);
  await data[Symbol.asyncDispose]();
  assertEquals((await client.command("MKD new")).code, 502);
  await example.stop();
});

Deno.test({
  name: `transform_uploads.ts refuses what the disk has no place for, at the end too${
    REFUSAL ? ` (ignored: ${REFUSAL})` : ""
  }`,
  ignore: REFUSAL !== undefined,
  fn: async () => {
    await using disk = await SmallDisk.mount(256);
    await using example = await start(disk);
    await using client = await example.login("user", "12345");
    await client.expect(200, "TYPE I");
    await client.store("/report.bin", new TextEncoder().encode("old"));
    assertThrows(() => Deno.writeFileSync(`${disk.path}/filler`, new Uint8Array(1024 * 1024)));
    // The first has come out of the compressor before its end, the second comes out only then.
    for (const content of [crypto.getRandomValues(new Uint8Array(65_536)), new TextEncoder().encode("new")]) {
      await using data = await client.passive();
      await client.expect(150, "STOR /report.bin");
      await data.secure();
      await data.write(content);
      await data.finish();
      assertEquals((await client.readReply("STOR")).code, 452);
    }
    assertEquals(await namesIn(disk), ["report.bin.gz"]);
    assertEquals(new TextDecoder().decode(await decompressed(`${disk.path}/archive/report.bin.gz`)), "old");
    await example.stop();
  },
});

async function cutUpload(client: RawClient, path: string): Promise<void> {
  await using data = await client.passive();
  await client.expect(150, `STOR ${path}`);
  await data.secure();
  const content = sample(1_000_000);
  await data.write(content);
  await data.reset();
  const { code } = await client.readReply(`STOR ${path}`);
  assertGreater(code, 400);
}
