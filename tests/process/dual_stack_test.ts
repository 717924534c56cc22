import { assertEquals, assertMatch } from "@std/assert";
import { SpawnedServer } from "../cli/spawned_server.ts";
import { assertDialogue } from "../helpers/dialogue.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const CONNECTED = "200 Active data connection established.";

Deno.test("A server on all addresses serves clients of IPv4 as one of IPv4 does", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/file`, "0123456789");
  const flags = ["--allow-net", `--allow-read=${folder.path}`];
  await using server = await SpawnedServer.start({ flags, args: ["--interface", "::", "--active", folder.path] });
  await using client = await server.login();
  assertMatch((await client.command("STAT")).text, /\r\n Connected to: 127\.0\.0\.1:\d+\r\n/);
  await assertDialogue(client, [
    ["PASV", /^227 Entering Passive Mode \(127,0,0,1,\d+,\d+\)\.$/],
    ["EPSV 1", /^229 /],
    ["EPSV 2", "522 Network protocol not supported, use (1)."],
    ["EPRT |2|::1|2222|", "522 Network protocol not supported, use (1)."],
  ]);
  assertEquals(new TextDecoder().decode(await client.retrieve("/file")), "0123456789");
  for (const verb of ["PORT", "EPRT"]) {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    const line = verb === "PORT" ? `PORT 127,0,0,1,${port >> 8},${port & 255}` : `EPRT |1|127.0.0.1|${port}|`;
    const [accepted] = await Promise.all([listener.accept(), assertDialogue(client, [[line, CONNECTED]])]);
    accepted.close();
  }
});
