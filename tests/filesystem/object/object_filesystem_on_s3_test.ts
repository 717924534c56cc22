import { testWholeUploads, type WritableFileSystem } from "../../conformance/filesystem_conformance.ts";
import { RealStore, realStoreEndpoint, realStoreTest } from "../../helpers/object_store/real_store.ts";
import { S3Files } from "../../helpers/object_store/s3_files.ts";
import { S3Server } from "../../helpers/object_store/s3_server.ts";
import { sendSigned } from "../../helpers/object_store/signed_request.ts";

/** The least that stores take. */
const MIN_PART_BYTES = 5 * 2 ** 20;
const SMALL_PART_BYTES = 1024;

interface StoredFixture extends AsyncDisposable {
  readonly fileSystem: WritableFileSystem;
}

async function onStandIn(contents: Readonly<Record<string, string>>): Promise<StoredFixture> {
  await using resources = new AsyncDisposableStack();
  const server = resources.use(new S3Server({ minPartBytes: SMALL_PART_BYTES }));
  for (const [path, text] of Object.entries(contents)) server.plant(`ftp${path}`, new TextEncoder().encode(text));
  const { endpoint } = server;
  const files = resources.use(
    new S3Files({ endpoint, prefix: "ftp/", partSize: SMALL_PART_BYTES, bufferBytes: 2 ** 20 }),
  );
  return owning(files, resources.move());
}

async function onRealStore(endpoint: string, contents: Readonly<Record<string, string>>): Promise<StoredFixture> {
  await using resources = new AsyncDisposableStack();
  const store = resources.use(new RealStore(endpoint));
  for (const [path, body] of Object.entries(contents)) {
    const request = { method: "PUT", path: `/files/${store.prefix.slice(0, -1)}${path}`, body };
    await (await sendSigned(endpoint, request)).body?.cancel();
  }
  const files = resources.use(new S3Files({ endpoint, prefix: store.prefix, partSize: MIN_PART_BYTES }));
  return owning(files, resources.move());
}

function owning({ fileSystem }: S3Files, resources: AsyncDisposableStack): StoredFixture {
  return { fileSystem, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

testWholeUploads("ObjectFileSystem on S3Store", onStandIn, { partBytes: SMALL_PART_BYTES });

const endpoint = realStoreEndpoint();
const REAL_NAME = "ObjectFileSystem on a real store";
if (endpoint === undefined) Deno.test(realStoreTest(`${REAL_NAME} is a file system`, () => Promise.resolve()));
else testWholeUploads(REAL_NAME, (contents) => onRealStore(endpoint, contents), { partBytes: MIN_PART_BYTES });
