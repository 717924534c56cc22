import { assertEquals, assertGreater } from "@std/assert";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

const FILE_BYTES = 512 * 1024;
/** What may go ahead of the rate. */
const BURST_SECONDS = 0.1;

async function secondsOf(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work;
  return (performance.now() - startedAt) / 1000;
}

async function readers(
  example: ExampleProgram,
  count: number,
): Promise<AsyncDisposableStack & { clients: RawClient[] }> {
  const stack = new AsyncDisposableStack();
  const clients: RawClient[] = [];
  for (let index = 0; index < count; index++) {
    const client = stack.use(await example.login("user", "12345"));
    await client.expect(200, "TYPE I");
    clients.push(client);
  }
  return Object.assign(stack, { clients });
}

Deno.test("throttled.ts keeps a transfer to its rate, both ways", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await ExampleProgram.start("throttled", { cwd: folder.path });
  await using stack = await readers(example, 1);
  const [client] = stack.clients as [RawClient];
  assertGreater(await secondsOf(client.retrieve("/zeros")), 1 - BURST_SECONDS);
  assertGreater(await secondsOf(client.store("/copy", new Uint8Array(FILE_BYTES))), 1 - BURST_SECONDS);
  await example.stop();
});

Deno.test("throttled.ts keeps the downloads of an account to a rate together, and their number to four", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await ExampleProgram.start("throttled", { cwd: folder.path });
  await using stack = await readers(example, 4);
  const [one, two] = stack.clients as [RawClient, RawClient];
  const downloads = Promise.all([one.retrieve("/zeros"), two.retrieve("/zeros")]);
  assertGreater(await secondsOf(downloads), 2 * 512 / 768 - BURST_SECONDS);
  await using fifth = await example.connect();
  await fifth.expect(331, "USER user");
  assertEquals((await fifth.command("PASS 12345")).code, 421);
  await example.stop();
});
