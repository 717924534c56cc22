import { assert, assertEquals, assertMatch } from "@std/assert";
import { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

/** The address and the port of a 227 reply. */
function parsePassive(text: string): readonly [address: string, port: number] {
  const numbers = /\(([\d,]+)\)/.exec(text)?.[1]?.split(",").map(Number) ?? [];
  const [high = 0, low = 0] = numbers.slice(4);
  return [numbers.slice(0, 4).join("."), high * 256 + low];
}

Deno.test("behind_nat.ts tells the router's address to those who come by the address it forwards to", async () => {
  await using folder = await TemporaryFolder.create();
  const exchange = { "192.168.1.10": "127.0.0.1" };
  await using example = await ExampleProgram.start("behind_nat", { cwd: folder.path, exchange });
  await using client = await example.login();
  await client.expect(200, "TYPE I");
  const [address, port] = parsePassive((await client.expect(227, "PASV")).text);
  assertEquals(address, "203.0.113.7");
  assert(port >= 50_000 && port <= 50_100, `${port}`);
  // As the router does: the same port, another address.
  const tls = { rejectUnauthorized: false };
  await using data = await RawDataConnection.connect({ host: "127.0.0.1", port, tls, deadlineMs: 10_000 });
  await client.expect(150, "RETR hello.txt");
  await data.secure();
  assertEquals(new TextDecoder().decode(await data.readAll()), "Hello.\n");
  assertEquals((await client.readReply("RETR")).code, 226);
  assertMatch((await client.expect(229, "EPSV")).text, /\(\|\|\|50\d{3}\|\)/);
  await example.stop();
});

Deno.test("behind_nat.ts tells those who come by another address that one", async () => {
  await using folder = await TemporaryFolder.create();
  await using example = await ExampleProgram.start("behind_nat", { cwd: folder.path });
  await using client = await example.login();
  const [address] = parsePassive((await client.expect(227, "PASV")).text);
  assertEquals(address, "127.0.0.1");
  await example.stop();
});
