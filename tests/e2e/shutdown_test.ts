import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import { DeafClient } from "../helpers/deaf_client.ts";
import { assertReplies, MORE_THAN_KERNELS_HOLD, stallDownload, startTransfer } from "../helpers/dialogue.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { PROTECTIONS, TestServer, type TestServerOptions } from "../helpers/test_server.ts";

const STOPPING = "421 Service is stopping.";

function start(options: TestServerOptions = {}): Promise<TestServer> {
  const home = MemoryFileSystem.of({ "/large": new Uint8Array(MORE_THAN_KERNELS_HOLD).fill(1) });
  return TestServer.start({ home, ...options });
}

for (const protection of PROTECTIONS) {
  Deno.test(`shutdown() says 421 to idle clients and closes them: ${protection}`, async () => {
    await using server = await start({ protection });
    await using before = await server.connect();
    await using after = await server.login();
    const stopped = server.server.shutdown();
    await assertReplies(before, [STOPPING]);
    await assertReplies(after, [STOPPING]);
    assertEquals([await before.closed(), await after.closed()], ["end", "end"]);
    await stopped;
    await server.server.finished;
    assertEquals(server.events.at(-1)?.event, "stopped");
    await assertRejects(() => RawClient.connect({ host: "127.0.0.1", port: server.port }));
  });

  Deno.test(`shutdown() with grace lets a transfer end with 226 before the 421: ${protection}`, async () => {
    await using server = await start({ protection });
    await using client = await server.login();
    await using other = await server.login();
    await using download = await stallDownload(client, "RETR /large");
    const stopped = server.server.shutdown({ graceMs: 60_000 });
    await assertReplies(other, [STOPPING]);
    download.release();
    assertEquals((await download.data.readAll()).length, MORE_THAN_KERNELS_HOLD);
    await assertReplies(client, ["226 Transfer complete.", STOPPING]);
    assertEquals(await client.closed(), "end");
    await stopped;
    await server.event("fileSent");
  });

  Deno.test(`shutdown() without grace cuts transfers with 426 and says 421: ${protection}`, async () => {
    await using server = await start({ protection });
    await using downloading = await server.login();
    await using uploading = await server.login();
    await using _download = await stallDownload(downloading, "RETR /large");
    await using _upload = await startTransfer(uploading, "STOR /upload");
    const stopped = server.server.shutdown();
    for (const client of [downloading, uploading]) {
      await assertReplies(client, ["426 Transfer aborted by the server.", STOPPING]);
      await client.closed();
    }
    await stopped;
    const reasons = server.events.flatMap((event) => event.event === "disconnected" ? [event.reason] : []);
    assertEquals(reasons, ["Service is stopping.", "Service is stopping."]);
    assertEquals((await server.event("transferIncomplete")).reason, "the server was stopped");
  });
}

Deno.test("shutdown() cuts transfers when the grace time is over, or is made shorter", async () => {
  for (const graceMs of [100, 60_000]) {
    await using server = await start();
    await using client = await server.login();
    await using _upload = await startTransfer(client, "STOR /upload");
    const stopped = server.server.shutdown({ graceMs });
    if (graceMs > 1000) await server.server.shutdown();
    await assertReplies(client, ["426 Transfer aborted by the server.", STOPPING]);
    await stopped;
  }
});

Deno.test("shutdown() with grace does not wait for a session that only has a command waiting", async () => {
  await using server = await start();
  await using client = await server.login();
  await using download = await stallDownload(client, "RETR /large");
  await client.send("CWD /\r\n");
  const stopped = server.server.shutdown({ graceMs: 60_000 });
  download.release();
  await download.data.readAll();
  await assertReplies(client, ["226 Transfer complete."]);
  await client.closed();
  await stopped;
});

Deno.test("shutdown() ends sessions in the middle of a handshake and of a failed login", async () => {
  await using server = await start({ server: { timeouts: { failedLogin: 60 } } });
  await using shaking = await RawClient.connect({ host: server.host, port: server.port });
  await shaking.readReply();
  await shaking.expect(234, "AUTH TLS");
  await using failing = await server.connect();
  await failing.expect(331, "USER user");
  await failing.send("PASS wrong\r\n");
  await server.event("loginFailed");
  await server.server.shutdown();
  await shaking.closed();
  await assertReplies(failing, [STOPPING]);
});

Deno.test("shutdown() comes to an end though a client takes no replies and its transfer stands still", async () => {
  await using server = await start({ protection: "clear" });
  await using deaf = await DeafClient.connect(server);
  await deaf.client.expect(229, "EPSV");
  await deaf.client.expect(150, "STOR /upload");
  await deaf.flood();
  const startedAt = performance.now();
  await server.server.shutdown();
  assertLess(performance.now() - startedAt, 20_000);
});

Deno.test("A signal stops the server at once", async () => {
  const controller = new AbortController();
  await using server = await start({ server: { signal: controller.signal } });
  await using client = await server.login();
  await using _upload = await startTransfer(client, "STOR /upload");
  controller.abort();
  await assertReplies(client, ["426 Transfer aborted by the server.", STOPPING]);
  await server.server.finished;
});

Deno.test("listen() rejects with the reason of a signal that was aborted before", async () => {
  const reason = new Error("no");
  const starting = start({ server: { signal: AbortSignal.abort(reason) } });
  assertEquals(await assertRejects(() => starting), reason);
});

Deno.test("shutdown() before listen(), and again, resolves", async () => {
  const server = new FtpServer({ authorizer: { authenticate: () => Promise.resolve(undefined) } });
  await server.shutdown();
  await server.shutdown();
  await server.finished;
  assert(server.addresses.length === 0);
  await assertRejects(() => server.listen(), TypeError, "Cannot listen: the server was started before");
});
