import { assertEquals, assertRejects } from "@std/assert";
import { StoreRefusal } from "../../../lib/filesystem/object/object_store.ts";
import { S3Store } from "../../../lib/filesystem/object/s3_store.ts";
import { S3Server } from "../../helpers/object_store/s3_server.ts";
import { TEST_CREDENTIALS, TEST_REGION } from "../../helpers/object_store/s3_signature.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

Deno.test("S3Store.put() meets a version also in stores that compare it without its quotes", async () => {
  await using server = new S3Server({ takesQuotes: false });
  const { accessKey: accessKeyId, secretKey: secretAccessKey } = TEST_CREDENTIALS;
  const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey });
  const { endpoint } = server;
  await using store = new S3Store({ endpoint, region: TEST_REGION, bucket: "files", credentials });
  const bytes = (text: string) => [new TextEncoder().encode(text)];

  const etag = await store.put("a", bytes("1"), UNABORTED);
  await store.put("a", bytes("2"), { ifMatch: { etag }, ...UNABORTED });
  const error = await assertRejects(
    () => store.put("a", bytes("3"), { ifMatch: { etag }, ...UNABORTED }),
    StoreRefusal,
  );
  assertEquals([error.kind, new TextDecoder().decode(server.bytes("a"))], ["condition", "2"]);
});

Deno.test("S3Store repeats all requests at once that the store refuses because of the clock", async () => {
  await using server = new S3Server({ now: () => Date.now() + 60 * 60 * 1000 });
  server.plant("a", 1);
  const { accessKey: accessKeyId, secretKey: secretAccessKey } = TEST_CREDENTIALS;
  const credentials = () => Promise.resolve({ accessKeyId, secretAccessKey });
  const { endpoint } = server;
  await using store = new S3Store({ endpoint, region: TEST_REGION, bucket: "files", credentials });
  const infos = await Promise.all(Array.from({ length: 8 }, () => store.head("a", UNABORTED)));
  assertEquals(infos.map((info) => info?.size), new Array(8).fill(1));
});
