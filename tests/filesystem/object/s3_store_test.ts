import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import type { UploadedPart } from "../../../lib/filesystem/object/object_store.ts";
import { S3Store } from "../../../lib/filesystem/object/s3_store.ts";
import { S3Server } from "../../helpers/object_store/s3_server.ts";
import { ScriptedStore } from "../../helpers/object_store/scripted_store.ts";
import { bodyOf, openStore, outcomeOf, STORE_CREDENTIALS, textOf } from "../../helpers/object_store/store_client.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

/** Keys that something on the way could take for something else. */
const KEYS = [
  "a b",
  "a+b",
  "100%",
  "%2F%20",
  "ünï/😀",
  "/leading",
  "two//slashes",
  "..x/.y",
  "q?x=1&y",
  "h#x",
  "folder/",
  " ends ",
  "'()*!~`^|{}[]\\",
  '&<>"',
  "tab\tx",
  "control\u0001\u001fx",
  "=;,:@$",
  "__proto__",
  "constructor",
  "0123",
  "1e9",
  "x".repeat(1024),
];

const OTHER_ETAG = `"${"0".repeat(32)}"`;

Deno.test("S3Store puts, looks up, reads, lists and removes objects of any name", async () => {
  await using server = new S3Server();
  await using store = openStore(server.endpoint);
  for (const key of KEYS) {
    const etag = await store.put(key, bodyOf(`hello ${key}`), { metadata: { mtime: "123" }, ...UNABORTED });
    const info = await store.head(key, UNABORTED);
    assertEquals([info?.etag, info?.metadata.mtime], [etag, "123"], key);
    assertEquals(await textOf(await store.get(key, { from: 2, etag, ...UNABORTED })), `hello ${key}`.slice(2), key);
  }
  const listed: string[] = [];
  let next: string | undefined;
  do {
    const page = await store.list({ prefix: "", limit: 3, next, ...UNABORTED });
    listed.push(...page.objects.map(({ key }) => key));
    next = page.next;
  } while (next !== undefined);
  assertEquals(listed.toSorted(), KEYS.toSorted());
  await store.remove([...KEYS.slice(1), "not there"], UNABORTED);
  assertEquals([...server.objects().keys()], ["a b"]);
  await store.remove(["a b"], UNABORTED);
  await store.remove(["a b"], UNABORTED);
  assertEquals(server.objects().size, 0);
});

Deno.test("S3Store.list() tells prefixes, begins behind a key, and has sizes, ETags and times", async () => {
  await using server = new S3Server();
  await using store = openStore(server.endpoint, { prefix: "p/" });
  for (const key of ["p/a", "p/b/1", "p/b/2", "p/c d/1", "q"]) server.plant(key, 5);
  const page = await store.list({ prefix: "p/", delimiter: "/", ...UNABORTED });
  assertEquals([page.objects.map(({ key }) => key), page.prefixes, page.next], [
    ["p/a"],
    ["p/b/", "p/c d/"],
    undefined,
  ]);
  const info = await store.head("p/a", UNABORTED);
  assertEquals([page.objects[0]?.size, page.objects[0]?.etag], [5, info?.etag]);
  const behind = await store.list({ prefix: "p/", after: "p/b/1", ...UNABORTED });
  assertEquals(behind.objects.map(({ key }) => key), ["p/b/2", "p/c d/1"]);
});

Deno.test("S3Store refuses what is missing, has changed, or is in the way", async () => {
  await using server = new S3Server();
  await using store = openStore(server.endpoint);
  const etag = await store.put("a", bodyOf("one"), UNABORTED);
  const put = (ifMatch: "nothing" | { etag: string }, key = "a") => {
    return outcomeOf(store.put(key, bodyOf("two"), { ifMatch, ...UNABORTED }));
  };
  assertEquals(await store.head("b", UNABORTED), undefined);
  assertEquals(await outcomeOf(store.get("b", { from: 0, etag, ...UNABORTED })), "missing");
  assertEquals(await outcomeOf(store.get("a", { from: 0, etag: OTHER_ETAG, ...UNABORTED })), "changed");
  assertEquals(await put("nothing"), "condition");
  assertEquals(await put({ etag: OTHER_ETAG }), "condition");
  const copy = (from: string, version: string, options: { ifMatch?: "nothing" } = {}) => {
    return outcomeOf(store.copy(from, "a", { etag: version, metadata: { x: "1" }, ...options, ...UNABORTED }));
  };
  server.plant("c", 5);
  const other = (await store.head("c", UNABORTED))?.etag ?? "";
  assertEquals(await copy("b", etag), "missing");
  assertEquals(await copy("c", OTHER_ETAG), "changed");
  assertEquals(await copy("c", OTHER_ETAG, { ifMatch: "nothing" }), "changed");
  assertEquals(await copy("c", other, { ifMatch: "nothing" }), "condition");
  assertEquals(new TextDecoder().decode(server.bytes("a")), "one");
  assertEquals(typeof await put({ etag }), "string");
  assertEquals(
    await textOf(await store.get("a", { from: 3, etag: (await store.head("a", UNABORTED))?.etag ?? "", ...UNABORTED })),
    "",
  );
});

Deno.test("S3Store copies with the metadata of the original, or with others", async () => {
  await using server = new S3Server();
  await using store = openStore(server.endpoint);
  const etag = await store.put("a b", bodyOf("one"), { metadata: { mtime: "1" }, ...UNABORTED });
  await store.copy("a b", "c+d", { etag, ...UNABORTED });
  assertEquals((await store.head("c+d", UNABORTED))?.metadata.mtime, "1");
  await store.copy("a b", "a b", { etag, metadata: { mtime: "2" }, ...UNABORTED });
  assertEquals((await store.head("a b", UNABORTED))?.metadata.mtime, "2");
});

Deno.test("S3Store makes an object of parts, sent and copied, and knows an upload that was completed before", async () => {
  await using server = new S3Server({ minPartBytes: 1 });
  await using store = openStore(server.endpoint);
  const etag = await store.put("source", bodyOf("0123456789"), UNABORTED);
  const begunWith = { "ftpsd-upload": "one" };
  const upload = { key: "a+b c", uploadId: await store.beginUpload("a+b c", { metadata: begunWith, ...UNABORTED }) };
  assertEquals((await store.listUploads({ prefix: "a", ...UNABORTED })).uploads.map(({ key }) => key), ["a+b c"]);
  await store.uploadPart(upload, 1, bodyOf("hello"), UNABORTED);
  await store.copyPart(upload, 2, { key: "source", etag, from: 2, to: 5 }, UNABORTED);
  const changed = store.copyPart(upload, 3, { key: "source", etag: OTHER_ETAG, from: 2, to: 5 }, UNABORTED);
  assertEquals(await outcomeOf(changed), "changed");
  const parts = await store.listParts(upload, UNABORTED);
  assertEquals(parts.map(({ number, size }) => [number, size]), [[1, 5], [2, 3]]);
  const wrong = parts.map((part): UploadedPart => ({ ...part, etag: OTHER_ETAG }));
  assertEquals(await outcomeOf(store.completeUpload(upload, wrong, UNABORTED)), "changed");
  const made = await store.completeUpload(upload, parts, { begunWith, ...UNABORTED });
  assertEquals(new TextDecoder().decode(server.bytes("a+b c")), "hello234");
  assertEquals(await store.completeUpload(upload, parts, { begunWith, ...UNABORTED }), made);
  assertEquals(await store.completeUpload(upload, parts, UNABORTED), made);
  const fewer = store.completeUpload(upload, parts.slice(0, 1), { begunWith, ...UNABORTED });
  assertEquals(await outcomeOf(fewer), "missing", "another writer has completed it with more");
  const other = { begunWith: { "ftpsd-upload": "two" }, ...UNABORTED };
  assertEquals(await outcomeOf(store.completeUpload(upload, parts, other)), "missing");
  await store.put("a+b c", bodyOf("hello234"), UNABORTED);
  assertEquals(await outcomeOf(store.completeUpload(upload, parts, UNABORTED)), "missing");
  assertEquals(await outcomeOf(store.uploadPart(upload, 1, bodyOf("x"), UNABORTED)), "missing");
  assertEquals(await outcomeOf(store.listParts(upload, UNABORTED)), "missing");
  await store.abortUpload(upload, UNABORTED);
});

Deno.test("S3Store.copy() and copyPart() notice that another version was copied where the store does not look", async () => {
  await using careless = new ScriptedStore(({ method, url }) => {
    if (method === "HEAD") {
      return new Response(null, {
        headers: { etag: OTHER_ETAG, "content-length": "1", "last-modified": new Date(0).toUTCString() },
      });
    }
    const root = url.includes("partNumber") ? "CopyPartResult" : "CopyObjectResult";
    return new Response(`<${root}><ETag>${OTHER_ETAG}</ETag></${root}>`);
  });
  await using store = openStore(careless.endpoint);
  const etag = `"${"1".repeat(32)}"`;
  assertEquals(await outcomeOf(store.copy("a", "b", { etag, ...UNABORTED })), "changed");
  const source = { key: "a", etag, from: 0, to: 1 };
  assertEquals(await outcomeOf(store.copyPart({ key: "b", uploadId: "1" }, 1, source, UNABORTED)), "changed");
});

Deno.test("S3Store.completeUpload() computes the ETag that a store leaves empty", async () => {
  await using ceph = new ScriptedStore(() =>
    new Response("<CompleteMultipartUploadResult><ETag/></CompleteMultipartUploadResult>")
  );
  await using store = openStore(ceph.endpoint);
  const parts = [{ number: 1, etag: '"9dd4e461268c8034f5c8564e155c67a6"', size: 1 }];
  const made = await store.completeUpload({ key: "a", uploadId: "1" }, parts, UNABORTED);
  assertEquals(made, '"9affad555af89da9b0bfcd5e45bc93da-1"'); // as Ceph has it
});

Deno.test("S3Store lists many parts and uploads page by page", async () => {
  await using server = new S3Server({ minPartBytes: 1 });
  await using store = openStore(server.endpoint);
  const upload = { key: "a", uploadId: await store.beginUpload("a", UNABORTED) };
  for (let number = 1; number <= 1001; number += 10) {
    await Promise.all(Array.from({ length: 10 }, (_, index) => {
      return store.uploadPart(upload, number + index, [new Uint8Array([index])], UNABORTED);
    }));
  }
  const parts = await store.listParts(upload, UNABORTED);
  assertEquals(parts.map(({ number }) => number), Array.from({ length: 1010 }, (_, index) => index + 1));
  await store.abortUpload(upload, UNABORTED);
  assertEquals(server.uploads().length, 0);
});

Deno.test("S3Store.abilities() finds out which conditions are obeyed, once, and leaves nothing behind", async () => {
  for (const obeyed of [true, false]) {
    const conditions = { put: obeyed, copy: obeyed, complete: obeyed, delete: obeyed };
    await using server = new S3Server({ conditions });
    await using store = openStore(server.endpoint, { prefix: "p/" });
    const [first, second] = await Promise.all([store.abilities(UNABORTED), store.abilities(UNABORTED)]);
    assertEquals(first.conditions, { put: obeyed, copy: obeyed, complete: obeyed });
    assertEquals(first, second);
    assertEquals([server.objects().size, server.uploads().length], [0, 0]);
    server.takeCosts();
    await store.abilities(UNABORTED);
    assertEquals(server.takeCosts().size, 0);
    assert(server.journal().every(({ key }) => key.startsWith("p/.ftpsd-probe-")));
  }
});

Deno.test("S3Store.abilities() has none while the store refuses or is away, and ends by its signal", async () => {
  await using server = new S3Server({ buckets: [] });
  await using store = openStore(server.endpoint);
  const none = { conditions: { put: false, copy: false, complete: false } };
  assertEquals(await store.abilities(UNABORTED), none);
  await assertRejects(() => store.abilities({ signal: AbortSignal.abort(new Error("late")) }), Error, "late");
});

Deno.test("S3Store refuses options that are none, and everything once it is closed", async () => {
  const good = {
    endpoint: "http://127.0.0.1:9",
    region: "r",
    bucket: "files",
    credentials: () => Promise.resolve(STORE_CREDENTIALS),
  };
  for (const bad of [{ prefix: "a" }, { region: "" }, { endpoint: "x" }]) {
    assertThrows(() => new S3Store({ ...good, ...bad }), TypeError);
  }
  for (const bad of [{ maxConnections: 0 }, { maxAttempts: 0 }]) {
    assertThrows(() => new S3Store({ ...good, ...bad }), RangeError);
  }
  const store = new S3Store(good);
  await store[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  const error = await assertRejects(() => store.head("a", UNABORTED), FileSystemError);
  assertEquals(error.kind, "unavailable");
  assertMatch(error.message, /closed/);
});
