import { assertEquals } from "@std/assert";
import { FaultyProxy } from "../../helpers/object_store/faulty_proxy.ts";
import { S3Files } from "../../helpers/object_store/s3_files.ts";
import { S3Server } from "../../helpers/object_store/s3_server.ts";
import { UNABORTED } from "../../helpers/unaborted.ts";

Deno.test("ObjectFileSystem.rename() removes the source also where HEAD finds nothing, as when the bucket is away", async () => {
  await using server = new S3Server();
  server.plant("a", new Uint8Array(3));
  await using proxy = new FaultyProxy(server.endpoint);
  await using files = new S3Files({ endpoint: proxy.endpoint });
  await files.store.abilities(UNABORTED);
  let isCopied = false;
  proxy.plan = ({ operation, key }) => {
    if (operation === "CopyObject") isCopied = true;
    return isCopied && operation === "HeadObject" && key === "a" ? { kind: "answer", code: "NoSuchBucket" } : undefined;
  };
  await files.fileSystem.rename("/a", "/b", UNABORTED);
  assertEquals([...server.objects().keys()], ["b"]);
  assertEquals(proxy.played.length, 1);
});
