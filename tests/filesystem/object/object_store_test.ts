import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import type { WriteMode } from "../../../lib/filesystem/filesystem.ts";
import { ObjectFileSystem } from "../../../lib/filesystem/object/object_filesystem.ts";
import { PartBuffers } from "../../../lib/filesystem/object/part_buffers.ts";
import { S3Store } from "../../../lib/filesystem/object/s3_store.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import { MemoryRecords } from "../../../lib/state/memory_records.ts";
import { listNames, testWholeUploads } from "../../conformance/filesystem_conformance.ts";
import { sampleBytes } from "../../helpers/object_store/object_fixture.ts";
import { realStoreTest } from "../../helpers/object_store/real_store.ts";
import { S3Server } from "../../helpers/object_store/s3_server.ts";
import { TEST_CREDENTIALS, TEST_REGION } from "../../helpers/object_store/s3_signature.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

const PART_BYTES = 4096;

const { accessKey: accessKeyId, secretKey: secretAccessKey } = TEST_CREDENTIALS;

function connect(endpoint: string, prefix: string): S3Store {
  const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey });
  return new S3Store({ endpoint, region: TEST_REGION, bucket: "files", prefix, credentials });
}

function fileSystemOn(store: S3Store, partSize: number): ObjectFileSystem {
  return new ObjectFileSystem(store, {
    path: "/home",
    owner: "alice",
    claims: new WriteClaims(),
    records: new MemoryRecords(),
    buffers: new PartBuffers({ maxBytes: Math.max(16 * partSize, 8_000_000), blockBytes: Math.min(partSize, 65_536) }),
    partSize,
  });
}

for (const obeys of [true, false]) {
  testWholeUploads(`ObjectFileSystem on S3 ${obeys ? "with" : "without"} conditions`, async (files) => {
    const conditions = { put: obeys, copy: obeys, complete: obeys, delete: obeys };
    await using opened = new AsyncDisposableStack();
    const server = opened.use(new S3Server({ minPartBytes: PART_BYTES, conditions }));
    const store = opened.use(connect(server.endpoint, "ftp/"));
    for (const [path, content] of Object.entries(files)) {
      server.plant(`ftp/home${path}`, new TextEncoder().encode(content));
    }
    await store.abilities(UNABORTED);
    const owned = opened.move();
    return { fileSystem: fileSystemOn(store, PART_BYTES), [Symbol.asyncDispose]: () => owned.disposeAsync() };
  }, { partBytes: PART_BYTES });
}

Deno.test("ObjectFileSystem on S3 leaves nothing but the file", async () => {
  await using server = new S3Server({ minPartBytes: PART_BYTES });
  await using store = connect(server.endpoint, "ftp/");
  const fileSystem = fileSystemOn(store, PART_BYTES);
  const file = await fileSystem.openWrite("/a", "replace", UNABORTED);
  await file.write(new Uint8Array(10 * PART_BYTES), UNABORTED);
  await file.finish(UNABORTED);
  await file.close();
  assertEquals([[...server.objects().keys()], server.uploads().length], [["ftp/home/a"], 0]);
});

/** Least bytes of a part of a real store. */
const REAL_PART_BYTES = 5 * 2 ** 20;

Deno.test(
  realStoreTest(
    "ObjectFileSystem on a real store: a file is cut, goes on, is read, added to and renamed",
    async (real) => {
      await using store = connect(real.endpoint, real.prefix);
      const fileSystem = fileSystemOn(store, REAL_PART_BYTES);
      const bytes = sampleBytes(3 * REAL_PART_BYTES + 1234);
      await send(fileSystem, "place", bytes, { isEnd: false });
      assertEquals([await fileSystem.resumable("/a", UNABORTED), await real.keys()], [3 * REAL_PART_BYTES, []]);
      await send(fileSystem, "append", bytes.subarray(3 * REAL_PART_BYTES), { isEnd: true });
      assertEquals(await digestOf(fileSystem, "/a"), sha256(bytes));
      await send(fileSystem, "append", bytes.subarray(0, 10), { isEnd: true });
      assertEquals(await digestOf(fileSystem, "/a"), sha256(bytes, bytes.subarray(0, 10)));
      await fileSystem.setModified("/a", new Date(1_000_000_000_000), UNABORTED);
      await fileSystem.makeDirectory("/d", UNABORTED);
      await fileSystem.rename("/a", "/d/b", UNABORTED);
      await fileSystem.rename("/d", "/e", UNABORTED);
      assertEquals(await digestOf(fileSystem, "/e/b"), sha256(bytes, bytes.subarray(0, 10)));
      assertEquals((await fileSystem.stat("/e/b", UNABORTED)).modified, new Date(1_000_000_000_000));
      await send(fileSystem, { offset: 6_000_000 }, bytes.subarray(0, 100), { isEnd: true, path: "/e/b" });
      const expected = [
        bytes.subarray(0, 6_000_000),
        bytes.subarray(0, 100),
        bytes.subarray(6_000_100),
        bytes.subarray(0, 10),
      ];
      assertEquals(await digestOf(fileSystem, "/e/b"), sha256(...expected));
      assertEquals([await real.keys(), await real.uploads()], [["home/e/", "home/e/b"], []]);
    },
  ),
);

Deno.test(realStoreTest("ObjectFileSystem on a real store: names of all kinds are kept", async (real) => {
  await using store = connect(real.endpoint, real.prefix);
  const fileSystem = fileSystemOn(store, REAL_PART_BYTES);
  const names = [
    "a b",
    "a+b",
    "a%20b",
    "é",
    "e\u0301",
    "𝒳",
    "\uffee",
    "'\"&<>;=?#*~",
    "\\",
    "-",
    " ",
    "x".repeat(900),
    "\t\x01",
  ];
  for (const [index, name] of names.entries()) {
    await send(fileSystem, "place", sampleBytes(index), { isEnd: true, path: `/${name}` });
  }
  const listed = await Array.fromAsync(fileSystem.list("/", UNABORTED));
  assertEquals(listed.map(({ name }) => name).sort(), names.toSorted());
  for (const { name, info } of listed) {
    assertEquals([info.size, info], [names.indexOf(name), await fileSystem.stat(`/${name}`, UNABORTED)]);
    await fileSystem.rename(`/${name}`, `/${name}.renamed`, UNABORTED);
  }
  assertEquals(await listNames(fileSystem, "/"), names.map((name) => `${name}.renamed`).sort());
}));

async function send(
  fileSystem: ObjectFileSystem,
  mode: WriteMode,
  bytes: Uint8Array,
  { isEnd, path = "/a" }: { readonly isEnd: boolean; readonly path?: string },
): Promise<void> {
  const file = await fileSystem.openWrite(path, mode, UNABORTED);
  try {
    for (let at = 0; at < bytes.length; at += 300_000) await file.write(bytes.subarray(at, at + 300_000), UNABORTED);
    if (isEnd) await file.finish(UNABORTED);
  } finally {
    await file.close();
  }
}

async function digestOf(fileSystem: ObjectFileSystem, path: string): Promise<string> {
  const file = await fileSystem.openRead(path, UNABORTED);
  const [hash, buffer] = [createHash("sha256"), new Uint8Array(1 << 20)];
  try {
    for (let count = await file.read(buffer, UNABORTED); count; count = await file.read(buffer, UNABORTED)) {
      hash.update(buffer.subarray(0, count));
    }
  } finally {
    await file.close();
  }
  return hash.digest("hex");
}

function sha256(...pieces: readonly Uint8Array[]): string {
  const hash = createHash("sha256");
  for (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}
