import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { delay } from "../../../lib/deadline.ts";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import type { S3Store } from "../../../lib/filesystem/object/s3_store.ts";
import { FaultyProxy } from "../../helpers/object_store/faulty_proxy.ts";
import type { S3Operation } from "../../helpers/object_store/s3_operations.ts";
import { S3Server } from "../../helpers/object_store/s3_server.ts";
import { ScriptedStore } from "../../helpers/object_store/scripted_store.ts";
import { bodyOf, openStore, outcomeOf, STORE_CREDENTIALS, textOf } from "../../helpers/object_store/store_client.ts";
import { faultName, faultsOf, fits, PASSING_FAULTS, type StoreFault } from "../../helpers/object_store/store_faults.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

const BIG = new Uint8Array(600_000).map((_, index) => index * 7 >> 3);
const ANSWER_503 = { kind: "answer", code: "SlowDown" } as const;

/** An upload of one part. */
async function beginUpload(store: S3Store) {
  const begunWith = { "ftpsd-upload": crypto.randomUUID() };
  const upload = { key: "b", uploadId: await store.beginUpload("b", { metadata: begunWith, ...UNABORTED }) };
  const parts = [{ number: 1, etag: await store.uploadPart(upload, 1, [BIG], UNABORTED), size: BIG.length }];
  return { upload, parts, options: { begunWith, ...UNABORTED } };
}

/** What each operation does, and returns something of when it is done. */
const OPERATIONS: Readonly<Partial<Record<S3Operation, (store: S3Store, etag: string) => Promise<unknown>>>> = {
  HeadObject: (store) => store.head("a", UNABORTED),
  GetObject: async (store, etag) =>
    await textOf(await store.get("a", { from: 0, etag, ...UNABORTED })) === "x".repeat(9999),
  PutObject: (store) =>
    store.put("b", [BIG.subarray(0, 300_000), BIG.subarray(300_000)], { ifMatch: "nothing", ...UNABORTED }),
  CopyObject: (store, etag) => store.copy("a", "b", { etag, ifMatch: "nothing", ...UNABORTED }),
  DeleteObject: (store) => store.remove(["a"], UNABORTED),
  DeleteObjects: (store) => store.remove(["a", "b"], UNABORTED),
  ListObjectsV2: (store) => store.list({ prefix: "", ...UNABORTED }),
  CreateMultipartUpload: (store) => store.beginUpload("b", UNABORTED),
  UploadPart: async (store) => (await beginUpload(store)).parts,
  ListParts: async (store) => await store.listParts((await beginUpload(store)).upload, UNABORTED),
  ListMultipartUploads: (store) => store.listUploads({ prefix: "", ...UNABORTED }),
  AbortMultipartUpload: async (store) => await store.abortUpload((await beginUpload(store)).upload, UNABORTED),
  UploadPartCopy: async (store, etag) => {
    const { upload } = await beginUpload(store);
    return await store.copyPart(upload, 2, { key: "a", etag, from: 0, to: 9 }, UNABORTED);
  },
  CompleteMultipartUpload: async (store) => {
    const { upload, parts, options } = await beginUpload(store);
    return await store.completeUpload(upload, parts, { ...options, ifMatch: "nothing" });
  },
};

/** An operation, met by a fault once. */
async function playOne(operation: S3Operation, fault: StoreFault): Promise<void> {
  const name = `${operation}: ${faultName(fault)}`;
  await using server = new S3Server({ minPartBytes: 1 });
  await using proxy = new FaultyProxy(server.endpoint, faultsOf(operation, [fault]));
  await using store = openStore(proxy.endpoint);
  const etag = await openAndPut(server);
  const outcome = await outcomeOf(OPERATIONS[operation]?.(store, etag) ?? Promise.reject(new Error("No operation")));
  assertEquals(proxy.played.length, 1, name);
  assert(!(outcome instanceof Error), `${name}: ${outcome}`);
  assert(!["unavailable", "condition", "missing", "changed"].includes(String(outcome)), `${name}: ${outcome}`);
  if (["PutObject", "CopyObject", "CompleteMultipartUpload"].includes(operation)) {
    assertEquals(outcome, server.objects().get("b")?.etag, name);
  }
}

Deno.test("S3Store does what it is asked for in spite of every fault that passes, and says so", async () => {
  for (const fault of PASSING_FAULTS) {
    if (fault.kind === "wrongEtag") continue; // it comes out when the upload is completed
    const operations = (Object.keys(OPERATIONS) as S3Operation[]).filter((operation) => {
      return fits(fault, {
        operation,
        key: "",
        bytes: operation === "PutObject" || operation === "UploadPart" ? 1 : 0,
      });
    });
    await Promise.all(operations.map((operation) => playOne(operation, fault)));
  }
});

async function openAndPut(server: S3Server): Promise<string> {
  await using store = openStore(server.endpoint);
  return await store.put("a", bodyOf("x".repeat(9999)), UNABORTED);
}

Deno.test("S3Store gives up after some attempts, with what the store has said last", async () => {
  await using server = new S3Server();
  await using proxy = new FaultyProxy(server.endpoint, () => ANSWER_503);
  await using store = openStore(proxy.endpoint, { maxAttempts: 3 });
  const error = await assertRejects(() => store.put("a", bodyOf("x"), UNABORTED), FileSystemError);
  assertEquals([error.kind, proxy.played.length], ["unavailable", 3]);
  assertStringIncludes(error.message, 'Cannot put "a": the store has answered 503 SlowDown');
});

Deno.test("S3Store does not repeat what repeating cannot help", async () => {
  for (const code of ["AccessDenied", "NoSuchBucket", "EntityTooSmall", "NotImplemented"] as const) {
    await using server = new S3Server();
    await using proxy = new FaultyProxy(server.endpoint, () => ({ kind: "answer", code }));
    await using store = openStore(proxy.endpoint);
    assertEquals(await outcomeOf(store.list({ prefix: "", ...UNABORTED })), "unavailable");
    assertEquals(proxy.played.length, 1, code);
  }
});

Deno.test("S3Store says what a refused connection, a hanging store and a wrong answer are: unavailable", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  await using away = openStore(`http://127.0.0.1:${port}`, { maxAttempts: 2 });
  await using silent = new ScriptedStore(() => new Promise(() => {}));
  await using hanging = openStore(silent.endpoint, { maxAttempts: 2, timeouts: { answerMs: 50, workMs: 50 } });
  await using page = new ScriptedStore(() => new Response("<html>Welcome</html>"));
  await using wrong = openStore(page.endpoint);
  for (const store of [away, hanging, wrong]) {
    assertEquals(await outcomeOf(store.list({ prefix: "", ...UNABORTED })), "unavailable");
    assertEquals(await outcomeOf(store.put("a", bodyOf("x"), UNABORTED)), "unavailable");
    assertEquals(await outcomeOf(store.copy("a", "b", { etag: '"x"', ...UNABORTED })), "unavailable");
  }
});

Deno.test("S3Store follows no redirection, and names the region", async () => {
  await using other = new ScriptedStore(() => new Response("secret"));
  await using store = new ScriptedStore(() => {
    return new Response(null, { status: 301, headers: { location: other.endpoint, "x-amz-bucket-region": "eu-1" } });
  });
  await using client = openStore(store.endpoint);
  for (const call of [() => client.list({ prefix: "", ...UNABORTED }), () => client.put("a", bodyOf("x"), UNABORTED)]) {
    const error = await assertRejects(call, FileSystemError);
    assertEquals(error.kind, "unavailable");
    assertStringIncludes(error.message, '"eu-1"');
  }
  assertEquals([store.requests.length, other.requests.length], [2, 0]);
});

Deno.test("S3Store takes over the clock of the store when it refuses ours", async () => {
  await using server = new S3Server();
  await using store = openStore(server.endpoint, { now: () => Date.now() - 3_600_000 });
  await store.put("a", bodyOf("x"), UNABORTED);
  server.takeCosts();
  assertEquals((await store.head("a", UNABORTED))?.size, 1);
  assertEquals(server.takeCosts().get("HeadObject")?.requests, 1);
});

Deno.test("S3Store asks for credentials again when the store refuses them, and does not go on with the same ones", async () => {
  await using server = new S3Server();
  server.plant("a", 5);
  let secretAccessKey = "old";
  const renewals: boolean[] = [];
  await using store = openStore(server.endpoint, {
    credentials: ({ renew }) => {
      renewals.push(renew);
      if (renew) secretAccessKey = STORE_CREDENTIALS.secretAccessKey;
      return Promise.resolve({ ...STORE_CREDENTIALS, secretAccessKey });
    },
  });
  assertEquals((await store.head("a", UNABORTED))?.size, 5); // no code in an answer to HEAD
  assertEquals(renewals, [false, true]);
  secretAccessKey = "old";
  assertEquals((await store.list({ prefix: "", ...UNABORTED })).objects.length, 1);
  const bad = { ...STORE_CREDENTIALS, secretAccessKey: "bad" };
  await using never = openStore(server.endpoint, { credentials: () => Promise.resolve(bad) });
  server.takeCosts();
  assertEquals(await outcomeOf(never.list({ prefix: "", ...UNABORTED })), "unavailable");
  assertEquals(server.takeCosts().get("ListObjectsV2")?.requests, 1);
});

Deno.test("S3Store signs with session tokens", async () => {
  const credentials = { accessKey: "AKIA1", secretKey: "s", sessionToken: "token/+=" };
  await using server = new S3Server({ credentials });
  await using store = openStore(server.endpoint, {
    credentials: () => Promise.resolve({ accessKeyId: "AKIA1", secretAccessKey: "s", sessionToken: "token/+=" }),
  });
  await store.put("a", bodyOf("x"), UNABORTED);
});

Deno.test("S3Store never has a secret in a message, even when the store sends it back", async () => {
  const secrets = { accessKeyId: "AKIATHEKEY", secretAccessKey: "thesecret", sessionToken: "thetoken" };
  await using echo = new ScriptedStore(({ headers }) => {
    const said = `${headers.get("authorization")} ${headers.get("x-amz-security-token")} thesecret`;
    return new Response(`<Error><Code>AccessDenied</Code><Message>${said}</Message></Error>`, { status: 403 });
  });
  await using store = openStore(echo.endpoint, { credentials: () => Promise.resolve(secrets) });
  for (const call of [() => store.list({ prefix: "", ...UNABORTED }), () => store.put("a", bodyOf("x"), UNABORTED)]) {
    const error = await assertRejects(call, FileSystemError);
    const text = Deno.inspect(error, { depth: 9 });
    for (const secret of Object.values(secrets)) assert(!text.includes(secret), text);
  }
});

Deno.test("S3Store ends at once by its signal, whatever it waits for", async () => {
  await using silent = new ScriptedStore(() => new Promise(() => {}));
  await using busy = new ScriptedStore(() => new Response("", { status: 503 }));
  await using hanging = openStore(silent.endpoint, {
    maxConnections: 1,
    timeouts: { answerMs: 60_000, workMs: 60_000 },
  });
  await using waiting = openStore(busy.endpoint, { backoffMs: 60_000 });
  await using locked = openStore(busy.endpoint, { credentials: () => new Promise(() => {}) });
  const upload = { key: "a", uploadId: "1" };
  for (const store of [hanging, waiting, locked]) {
    const calls = [
      (signal: AbortSignal) => store.list({ prefix: "", signal }),
      (signal: AbortSignal) => store.get("a", { from: 0, etag: '"x"', signal }),
      (signal: AbortSignal) => store.put("a", [BIG, BIG, BIG, BIG], { signal }),
      (signal: AbortSignal) => store.completeUpload(upload, [], { signal }),
    ];
    for (const call of calls) {
      const controller = new AbortController();
      const [first, second] = [call(controller.signal), call(controller.signal)]; // the second waits for its turn
      setTimeout(() => controller.abort(new Error("enough")), 20);
      const began = performance.now();
      await Promise.all([first, second].map((running) => assertRejects(() => running, Error, "enough")));
      assertLess(performance.now() - began, 5000);
    }
  }
});

Deno.test("S3Store ends what is under way when it is disposed of", async () => {
  await using silent = new ScriptedStore(() => new Promise(() => {}));
  const store = openStore(silent.endpoint, { timeouts: { answerMs: 60_000 } });
  const running = [outcomeOf(store.list({ prefix: "", ...UNABORTED })), outcomeOf(store.put("a", [BIG], UNABORTED))];
  const abilities = store.abilities(UNABORTED);
  while (silent.requests.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
  await store[Symbol.asyncDispose]();
  assertEquals(await Promise.all(running), ["unavailable", "unavailable"]);
  assert(!(await abilities).conditions.put);
});

Deno.test("S3Store has no more requests under way than it may", async () => {
  let now = 0;
  let most = 0;
  await using server = new S3Server({
    beforeEffect: async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
    },
  });
  await using store = openStore(server.endpoint, { maxConnections: 3 });
  await Promise.all(Array.from({ length: 20 }, (_, index) => store.put(`${index}`, bodyOf("x"), UNABORTED)));
  assertEquals([most, server.objects().size], [3, 20]);
});

Deno.test("S3Store.completeUpload() calls back while the store is at work, and hears an error after spaces", async () => {
  const stop = new AbortController();
  await using slow = new ScriptedStore(() => {
    const body = ReadableStream.from((async function* () {
      for (let count = 0; count < 3; count++) {
        yield new TextEncoder().encode(count === 0 ? '<?xml version="1.0"?>' : " ".repeat(5000));
        await delay(500, stop.signal).catch(() => {});
      }
      yield new TextEncoder().encode("<Error><Code>InvalidPart</Code></Error>");
    })());
    return new Response(body);
  });
  await using store = openStore(slow.endpoint);
  let calls = 0;
  const completing = store.completeUpload({ key: "a", uploadId: "1" }, [], { onProgress: () => calls++, ...UNABORTED });
  assertEquals(await outcomeOf(completing), "changed");
  assertGreater(calls, 0);
  stop.abort();
});

Deno.test("S3Store reports an upload that may have been completed as unavailable, not as done", async () => {
  await using server = new S3Server({ minPartBytes: 1 });
  const faults: StoreFault[] = [{ kind: "resetBefore" }, { kind: "hang", isDone: false }];
  await using proxy = new FaultyProxy(server.endpoint, faultsOf("CompleteMultipartUpload", faults));
  await using store = openStore(proxy.endpoint, { maxAttempts: 2 });
  const { upload, parts, options } = await beginUpload(store);
  assertEquals(await outcomeOf(store.completeUpload(upload, parts, options)), "unavailable");
  assertEquals([server.objects().size, server.uploads().length], [0, 1]);
});

Deno.test("S3Store reports an upload as done whose every answer was lost", async () => {
  await using server = new S3Server({ minPartBytes: 1 });
  const lost = Array.from({ length: 5 }, (): StoreFault => ({ kind: "loseAnswer" }));
  await using proxy = new FaultyProxy(server.endpoint, faultsOf("CompleteMultipartUpload", lost));
  await using store = openStore(proxy.endpoint);
  const { upload, parts, options } = await beginUpload(store);
  assertEquals(await store.completeUpload(upload, parts, options), server.objects().get("b")?.etag);
  assertEquals(proxy.played.length, 5);
});

Deno.test("S3Store takes nothing for its own that another has put while an answer was lost", async () => {
  await using server = new S3Server({ minPartBytes: 1 });
  await using other = openStore(server.endpoint);
  const etag = await openAndPut(server);
  const lose = (operation: S3Operation) =>
    new FaultyProxy(server.endpoint, (request) => {
      return request.operation === operation ? { kind: "resetBefore" } : undefined;
    });
  await using putting = lose("PutObject");
  await using store = openStore(putting.endpoint, { maxAttempts: 2 });
  await other.put("b", bodyOf("other"), UNABORTED);
  assertInstanceOf(
    await store.put("b", bodyOf("mine"), { ifMatch: "nothing", ...UNABORTED }).catch((it) => it),
    FileSystemError,
  );
  await using copying = lose("CopyObject");
  await using copier = openStore(copying.endpoint, { maxAttempts: 2 });
  assertInstanceOf(
    await copier.copy("a", "b", { etag, ifMatch: "nothing", ...UNABORTED }).catch((it) => it),
    FileSystemError,
  );
});
