import { assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory_filesystem.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

/** A server on which the user may do all, but for two folders. */
async function start(): Promise<{ readonly server: TestServer; readonly home: MemoryFileSystem }> {
  const home = MemoryFileSystem.of({ "/dir/sub/f": "", "/a/secret/f": "content", "/b/f": "" });
  const authorizer = new VirtualAuthorizer();
  authorizer.addUser(USER.name, USER.password, home, {
    permissions: "elradfmwMT",
    overrides: [
      { path: "/dir", permissions: "elr" },
      { path: "/a/secret", permissions: "", recursive: true },
    ],
  });
  return { server: await TestServer.start({ server: { authorizer } }), home };
}

Deno.test("STOU obeys the override of the folder in which it makes the file", async () => {
  const { server, home } = await start();
  await using _ = server;
  await using client = await server.login();
  await using _data = await client.passive();
  await client.expect(550, "STOR /dir/f");
  await client.expect(550, "STOU /dir/sub");
  const names = await Array.fromAsync(home.list("/dir"), ({ name }) => name);
  assertEquals(names, ["sub"]);
});

Deno.test("Overrides are not lost by renaming a folder above them, nor covered by another", async () => {
  const { server } = await start();
  await using _ = server;
  await using client = await server.login();
  await client.expect(550, "RNFR /a/secret");
  await client.expect(550, "RNFR /a");
  await client.expect(350, "RNFR /b");
  await client.expect(550, "RNTO /a");
});
