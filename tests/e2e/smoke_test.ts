import { assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory_filesystem.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

for (const protection of PROTECTIONS) {
  Deno.test(`FtpServer stores and retrieves a file, ${protection}`, async () => {
    await using server = await TestServer.start({ protection, home: new MemoryFileSystem() });
    await using client = await server.login();
    await client.expect(200, "TYPE I");
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    await client.store("/a b.bin", bytes);
    assertEquals(await client.retrieve("/a b.bin"), bytes);
    await client.expect(221, "QUIT");
    await server.event("disconnected");
  });
}
