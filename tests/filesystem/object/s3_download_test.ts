import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import type { StoreRefusal } from "../../../lib/filesystem/object/object_store.ts";
import { FaultyProxy } from "../../helpers/object_store/faulty_proxy.ts";
import { S3Server } from "../../helpers/object_store/s3_server.ts";
import { ScriptedStore } from "../../helpers/object_store/scripted_store.ts";
import { openStore, outcomeOf, textOf } from "../../helpers/object_store/store_client.ts";
import { faultsOf } from "../../helpers/object_store/store_faults.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

const BYTES = new Uint8Array(3_000_000).map((_, index) => index * 7 >> 5);
const ETAG = '"0123456789abcdef0123456789abcdef"';

async function bytesOf(body: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return await new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
}

/** An answer of some bytes of an object of `size` bytes, cut after `length` of them. */
function part(from: number, size: number, length: number, etag = ETAG): Response {
  let cut: ReturnType<typeof setTimeout> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(length).fill(from));
      if (length === size - from) controller.close();
      else cut = setTimeout(() => controller.error(new Error("cut")), 5);
    },
    cancel: () => clearTimeout(cut),
  });
  const headers = { etag, "content-length": `${size - from}`, "content-range": `bytes ${from}-${size - 1}/${size}` };
  return new Response(body, { status: from > 0 ? 206 : 200, headers });
}

function fromOf({ headers }: Request): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.get("range") ?? "bytes=0-")?.[1]);
}

Deno.test("S3Store.get() goes on where a connection breaks, with the same version", async () => {
  await using server = new S3Server();
  const half = { kind: "halfAnswer" } as const;
  const hang = { kind: "hang", isDone: false } as const;
  await using proxy = new FaultyProxy(server.endpoint, faultsOf("GetObject", [half, half, hang, half]));
  await using store = openStore(proxy.endpoint);
  server.plant("a", BYTES);
  const etag = (await store.head("a", UNABORTED))?.etag ?? "";
  assertEquals(await bytesOf(await store.get("a", { from: 5, etag, ...UNABORTED })), BYTES.subarray(5));
  assertEquals(proxy.played.length, 4);
});

Deno.test("S3Store.get() errors when the object has changed behind a break", async () => {
  await using server = new S3Server();
  await using proxy = new FaultyProxy(server.endpoint, faultsOf("GetObject", [{ kind: "halfAnswer" }]));
  await using store = openStore(proxy.endpoint);
  server.plant("a", BYTES);
  const etag = (await store.head("a", UNABORTED))?.etag ?? "";
  const reader = (await store.get("a", { from: 0, etag, ...UNABORTED })).getReader();
  await reader.read();
  server.plant("a", BYTES);
  const error = await assertRejects(async () => {
    while (!(await reader.read()).done);
  }) as StoreRefusal;
  assertEquals(error.kind, "changed");
});

Deno.test("S3Store.get() gives up a body that always breaks, and never ends short of its length", async () => {
  await using breaking = new ScriptedStore((request) => part(fromOf(request), 1000, 3));
  await using store = openStore(breaking.endpoint);
  const body = await store.get("a", { from: 0, etag: ETAG, ...UNABORTED });
  const error = await assertRejects(() => bytesOf(body), FileSystemError);
  assertEquals([error.kind, breaking.requests.length], ["unavailable", 6]);
});

Deno.test("S3Store.get() errors when the rest is of another length", async () => {
  await using odd = new ScriptedStore((request) => part(fromOf(request), fromOf(request) > 0 ? 900 : 1000, 3));
  await using store = openStore(odd.endpoint);
  const body = await store.get("a", { from: 0, etag: ETAG, ...UNABORTED });
  const error = await assertRejects(() => bytesOf(body), FileSystemError, "another size");
  assertEquals(error.kind, "unavailable");
});

Deno.test("S3Store.get() refuses answers that are not what was asked for", async () => {
  const answers: readonly ((from: number) => Response)[] = [
    () => part(0, 9, 9, '"other"'),
    () => part(3, 9, 6),
    () => new Response("x", { headers: { etag: ETAG, "content-length": "1" } }),
    () => new Response(new ReadableStream({ start: (it) => it.close() }), { headers: { etag: ETAG } }),
  ];
  for (const answer of answers) {
    await using odd = new ScriptedStore((request) => answer(fromOf(request)));
    await using store = openStore(odd.endpoint);
    assertEquals(await outcomeOf(store.get("a", { from: 5, etag: ETAG, ...UNABORTED })), "unavailable");
  }
});

Deno.test("S3Store.get() returns packed objects as they are", async () => {
  const packed = new Uint8Array(gzipSync("hello ".repeat(100)));
  await using odd = new ScriptedStore(() => {
    return new Response(packed, {
      headers: { etag: ETAG, "content-encoding": "gzip", "content-length": `${packed.length}` },
    });
  });
  await using store = openStore(odd.endpoint);
  assertEquals(await bytesOf(await store.get("a", { from: 0, etag: ETAG, ...UNABORTED })), packed);
});

Deno.test("S3Store.get() asks again when a body stalls, and not because nobody reads", async () => {
  await using slow = new ScriptedStore((request) => {
    const from = fromOf(request);
    const headers = { etag: ETAG, "content-length": `${6 - from}`, "content-range": `bytes ${from}-5/6` };
    const body = new ReadableStream<Uint8Array>({
      start: (it) => it.enqueue(new TextEncoder().encode("abcdef").subarray(from, from + 2)),
    });
    return new Response(body, { status: from > 0 ? 206 : 200, headers });
  });
  await using store = openStore(slow.endpoint, { timeouts: { answerMs: 100 } });
  const body = await store.get("a", { from: 0, etag: ETAG, ...UNABORTED });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertEquals(slow.requests.length, 1);
  assertEquals(await textOf(body), "abcdef");
  assertEquals(slow.requests.length, 3);
});

Deno.test("S3Store.get() ends by its signal, when it is cancelled, and with the store, and leaves nothing behind", async () => {
  await using silent = new ScriptedStore((request) => {
    const from = fromOf(request);
    const headers = { etag: ETAG, "content-length": "600" };
    return from > 0
      ? new Promise(() => {})
      : new Response(new ReadableStream({ start: (it) => it.enqueue(new Uint8Array(9)) }), { headers });
  });
  await using store = openStore(silent.endpoint, { timeouts: { answerMs: 60_000 } });
  const open = async (signal: AbortSignal) => (await store.get("a", { from: 0, etag: ETAG, signal })).getReader();
  for (const reads of [0, 1, 2]) {
    const controller = new AbortController();
    const reader = await open(controller.signal);
    const reading = Array.from({ length: reads }, () => outcomeOf(reader.read()));
    setTimeout(() => controller.abort(new Error("enough")), 20);
    const began = performance.now();
    await assertRejects(() => reader.closed, Error, "enough");
    assertLess(performance.now() - began, 5000);
    await Promise.all(reading);
  }
  const cancelled = await open(UNABORTED.signal);
  await cancelled.read();
  await cancelled.cancel();
  const pending = await open(UNABORTED.signal);
  const last = outcomeOf((async () => {
    while (!(await pending.read()).done);
  })());
  await new Promise((resolve) => setTimeout(resolve, 20));
  await store[Symbol.asyncDispose]();
  assertEquals(await last, "unavailable");
});
