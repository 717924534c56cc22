import { assertEquals } from "@std/assert";
import { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

async function start(folder: TemporaryFolder): Promise<ExampleProgram> {
  await Deno.mkdir(`${folder.path}/scans`);
  return await ExampleProgram.start("several_servers", { cwd: folder.path });
}

async function connectInClear(example: ExampleProgram): Promise<RawClient> {
  const client = await RawClient.connect({ host: "127.0.0.1", port: await example.port(1) });
  assertEquals((await client.readReply("connecting")).code, 220);
  return client;
}

Deno.test("several_servers.ts takes files in clear by one server, and gives them out over TLS by the other", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await start(folder);
  await using scanner = await connectInClear(example);
  await scanner.login("scanner", "12345");
  await scanner.store("page.pdf", new TextEncoder().encode("page"));
  await using reader = await example.login("reader", "12345");
  assertEquals(new TextDecoder().decode(await reader.retrieve("page.pdf")), "page");
  await using clear = await RawClient.connect({ host: "127.0.0.1", port: await example.port() });
  await clear.readReply("connecting");
  assertEquals((await clear.command("USER reader")).code, 550);
  assertEquals((await scanner.command("AUTH TLS")).code, 502);
  await example.stop();
});

Deno.test("several_servers.ts counts the connections of an address on both servers together", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await start(folder);
  await using clients = new AsyncDisposableStack();
  for (let count = 0; count < 4; count++) {
    clients.use(await example.connect());
    clients.use(await connectInClear(example));
  }
  for (const index of [0, 1]) {
    await using ninth = await RawClient.connect({ host: "127.0.0.1", port: await example.port(index) });
    assertEquals((await ninth.readReply("connecting")).code, 421);
  }
  await example.stop();
});
