import { assertEquals } from "@std/assert";
import { ObjectFileSystem } from "../../../lib/filesystem/object/object_filesystem.ts";
import { PartBuffers } from "../../../lib/filesystem/object/part_buffers.ts";
import { S3Store } from "../../../lib/filesystem/object/s3_store.ts";
import { WriteClaims } from "../../../lib/filesystem/write_claims.ts";
import { MemoryRecords } from "../../../lib/state/memory_records.ts";
import { testWholeUploads } from "../../conformance/filesystem_conformance.ts";
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
    buffers: new PartBuffers({ maxBytes: 1024 * partSize, blockBytes: Math.min(partSize, 65_536) }),
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
