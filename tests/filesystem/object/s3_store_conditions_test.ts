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
