import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import { S3Server } from "../../helpers/object_store/s3_server.ts";
import { ScriptedStore } from "../../helpers/object_store/scripted_store.ts";
import { bodyOf, openStore, outcomeOf, textOf } from "../../helpers/object_store/store_client.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";
import { createEphemeralCertificate } from "../../../lib/transport/ephemeral_certificate.ts";

const MIB = 1_048_576;

Deno.test("S3Store trusts a certificate that it is given, for all requests, and no other", async () => {
  const { certificate: cert, key } = await createEphemeralCertificate({ names: ["127.0.0.1"] });
  await using server = new S3Server({ tls: { cert, key } });
  await using store = openStore(server.endpoint, { ca: cert });
  const etag = await store.put("a", bodyOf("hello"), UNABORTED);
  assertEquals(await textOf(await store.get("a", { from: 0, etag, ...UNABORTED })), "hello");
  await store.remove(["a", "b"], UNABORTED);
  const other = await createEphemeralCertificate({ names: ["127.0.0.1"] });
  const named = await createEphemeralCertificate({ names: ["s3.example.org"] });
  await using misnamed = new S3Server({ tls: { cert: named.certificate, key: named.key } });
  const cases = [[server.endpoint, other.certificate], [server.endpoint, undefined], [
    misnamed.endpoint,
    named.certificate,
  ]] as const;
  for (const [endpoint, ca] of cases) {
    await using stranger = openStore(endpoint, { maxAttempts: 1, ...ca !== undefined && { ca } });
    for (const call of [() => stranger.head("a", UNABORTED), () => stranger.put("a", bodyOf("x"), UNABORTED)]) {
      const error = await assertRejects(call, FileSystemError);
      assertEquals(error.kind, "unavailable");
      assertStringIncludes(error.message.toLowerCase(), "certificate");
    }
  }
  assertEquals(server.objects().size, 0);
});

Deno.test("S3Store keeps connections for the next requests, and no more than it may", async () => {
  const ports = new Set<number>();
  await using server = new S3Server();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const stop = new AbortController();
  const relaying = relay(listener, server.port, (port) => ports.add(port), stop.signal);
  {
    await using store = openStore(`http://127.0.0.1:${listener.addr.port}`);
    for (let count = 0; count < 20; count++) {
      await store.put("a", bodyOf("x"), UNABORTED);
      await store.head("a", UNABORTED);
      await store.copy("a", "b", { etag: (await store.head("a", UNABORTED))?.etag ?? "", ...UNABORTED });
    }
  }
  stop.abort();
  listener.close();
  await relaying;
  assertEquals(ports.size, 2); // of `node:http` and of `fetch`
});

Deno.test("S3Store hears an answer that comes before all of a body, and goes on", async () => {
  let answered = 0;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(1000));
      const body = "<Error><Code>AccessDenied</Code></Error>";
      const head = `HTTP/1.1 403 Forbidden\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
      await connection.write(new TextEncoder().encode(head + body));
      answered++;
      await connection.read(new Uint8Array(MIB)).catch(() => {});
      connection.close();
    }
  })().catch(() => {});
  {
    await using store = openStore(`http://127.0.0.1:${listener.addr.port}`, { maxAttempts: 2 });
    const body = Array.from({ length: 16 }, () => new Uint8Array(MIB));
    assertEquals(await outcomeOf(store.put("a", body, UNABORTED)), "unavailable");
  }
  listener.close();
  await serving;
  assertEquals(answered, 1);
});

Deno.test("S3Store bounds what it keeps of an answer", async () => {
  await using endless = new ScriptedStore(() => new Response(new Uint8Array(17 * MIB).fill(32)));
  await using store = openStore(endless.endpoint, { maxAttempts: 1, timeouts: { answerMs: 20_000 } });
  for (const call of [() => store.list({ prefix: "", ...UNABORTED }), () => store.put("a", bodyOf("x"), UNABORTED)]) {
    const error = await assertRejects(call, FileSystemError);
    assertStringIncludes(error.message, "more than");
  }
});

Deno.test("S3Store sends a request once more only as a repetition of its own", async () => {
  let posts = 0;
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      void (async () => {
        const buffer = new Uint8Array(65_536);
        for (let count = 0; await connection.read(buffer).catch(() => null) !== null; count++) {
          posts++;
          if (count > 0) break; // it was kept, and is cut now
          await connection.write(new TextEncoder().encode('HTTP/1.1 200 OK\r\netag: "a"\r\ncontent-length: 0\r\n\r\n'));
        }
        connection.close();
      })();
    }
  })().catch(() => {});
  {
    await using store = openStore(`http://127.0.0.1:${listener.addr.port}`, { maxAttempts: 1 });
    await store.put("a", [], UNABORTED);
    assertEquals(await outcomeOf(store.put("a", [], UNABORTED)), "unavailable");
  }
  listener.close();
  await serving;
  assertEquals(posts, 2);
});

/** Passes connections on, and tells the port of each. */
async function relay(
  listener: Deno.TcpListener,
  port: number,
  onConnection: (port: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const running: Promise<unknown>[] = [];
  try {
    for await (const client of listener) {
      onConnection(client.remoteAddr.port);
      const store = await Deno.connect({ hostname: "127.0.0.1", port });
      const ends = [
        client.readable.pipeTo(store.writable, { signal }),
        store.readable.pipeTo(client.writable, { signal }),
      ];
      running.push(Promise.allSettled(ends));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await Promise.all(running);
}
