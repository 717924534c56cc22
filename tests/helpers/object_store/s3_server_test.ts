import { assert, assertEquals } from "@std/assert";
import { readElements, readText } from "./s3_xml.ts";
import { S3Server, type S3ServerOptions } from "./s3_server.ts";
import { TEST_CREDENTIALS } from "./s3_signature.ts";
import { sendSigned, type TestRequest } from "./signed_request.ts";

const SKEW_MS = 16 * 60 * 1000;

/** Status and text of an answer. */
async function ask(
  server: S3Server,
  request: TestRequest,
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await sendSigned(server.endpoint, request);
  return { status: response.status, text: await response.text(), headers: response.headers };
}

async function refusal(server: S3Server, request: TestRequest): Promise<string> {
  const { status, text } = await ask(server, request);
  return `${status} ${readText(text, "Code")}`;
}

async function put(server: S3Server, key: string, body: string, headers: Record<string, string> = {}): Promise<string> {
  const { status, text } = await ask(server, { method: "PUT", path: `/files/${key}`, body, headers });
  return status === 200 ? "200" : `${status} ${readText(text, "Code")}`;
}

/** Uploads parts, and returns the refusal of Complete, or the ETag. */
async function multipart(
  server: S3Server,
  key: string,
  parts: readonly string[],
  headers: Record<string, string> = {},
): Promise<string> {
  const path = `/files/${key}`;
  const begun = await ask(server, { method: "POST", path, query: { uploads: "" } });
  const uploadId = readText(begun.text, "UploadId") ?? "";
  const etags: string[] = [];
  for (const [index, body] of parts.entries()) {
    const query = { partNumber: String(index + 1), uploadId };
    etags.push((await ask(server, { method: "PUT", path, query, body })).headers.get("etag") ?? "");
  }
  const list = etags.map((etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
  const body = `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`;
  const { status, text } = await ask(server, { method: "POST", path, query: { uploadId }, body, headers });
  return status === 200 ? readText(text, "ETag") ?? "" : `${status} ${readText(text, "Code")}`;
}

Deno.test("S3Server serves nobody whose signature, time, key or token is not right", async () => {
  await using server = new S3Server();
  const path = "/files/a";
  const ask = (request: Partial<TestRequest>) => refusal(server, { path, ...request });

  assertEquals(await ask({}), "404 NoSuchKey");
  assertEquals(await ask({ date: new Date(Date.now() - SKEW_MS) }), "403 RequestTimeTooSkewed");
  assertEquals(await ask({ date: new Date(Date.now() + SKEW_MS) }), "403 RequestTimeTooSkewed");
  assertEquals(await ask({ credentials: { ...TEST_CREDENTIALS, secretKey: "other" } }), "403 SignatureDoesNotMatch");
  assertEquals(await ask({ credentials: { ...TEST_CREDENTIALS, accessKey: "other" } }), "403 InvalidAccessKeyId");
  assertEquals(await ask({ credentials: { ...TEST_CREDENTIALS, sessionToken: "t" } }), "400 InvalidToken");
  server.credentials = { ...TEST_CREDENTIALS, sessionToken: "t" };
  assertEquals(await ask({}), "400 InvalidToken");
  assertEquals(await ask({ credentials: server.credentials }), "404 NoSuchKey");
});

Deno.test("S3Server refuses anonymous requests and headers of its own that are not signed", async () => {
  await using server = new S3Server();
  const anonymous = await fetch(`${server.endpoint}/files/a`);
  assertEquals([anonymous.status, readText(await anonymous.text(), "Code")], [403, "AccessDenied"]);
});

Deno.test("S3Server obeys conditions of PUT, copy, delete and Complete, unless it plays a store that does not", async () => {
  const path = "/files/a";
  const condition = { "if-none-match": "*" };
  const options: readonly S3ServerOptions[] = [
    {},
    { conditions: { complete: false, copy: false, delete: false, put: false } },
  ];
  const found: string[][] = [];
  for (const option of options) {
    await using server = new S3Server({ minPartBytes: 1, ...option });
    const copy = { ...condition, "x-amz-copy-source": "/files/source" };
    found.push([
      await put(server, "source", "s", condition),
      await put(server, "a", "1", condition),
      await put(server, "a", "2", condition),
      await put(server, "a", "2", { "if-match": '"00"' }),
      await put(server, "none", "2", { "if-match": '"00"' }),
      (await multipart(server, "a", ["x", "y"], condition)).slice(0, 3),
      String((await ask(server, { method: "PUT", path, headers: copy })).status),
      String((await ask(server, { method: "DELETE", path, headers: { "if-match": '"00"' } })).status),
    ]);
  }
  const [failed, missing] = ["412 PreconditionFailed", "404 NoSuchKey"];
  assertEquals(found[0], ["200", "200", failed, failed, missing, "412", "412", "412"]);
  assertEquals(found[1]?.filter((it) => it.startsWith("4")), []);
});

Deno.test("S3Server makes an object of parts, whose ETag tells how many there were, and refuses small ones", async () => {
  await using server = new S3Server({ minPartBytes: 3 });
  // md5 of the two md5 in a row, computed by other means.
  assertEquals(await multipart(server, "a", ["abc", "d"]), '"26b10a702bd95f42e3c2737f5975aa20-2"');
  assertEquals(new TextDecoder().decode(server.bytes("a")), "abcd");
  assertEquals(await multipart(server, "a", ["ab", "cd"]), "400 EntityTooSmall");
  assertEquals(new TextDecoder().decode(server.bytes("a")), "abcd");
  assertEquals(server.uploads().map((upload) => upload.parts.size), [2]);
});

Deno.test("S3Server refuses a body that is not what the digests say", async () => {
  await using server = new S3Server();
  assertEquals(await put(server, "a", "123456789", { "x-amz-checksum-crc32c": "4waSgw==" }), "200");
  assertEquals(await put(server, "a", "12345678", { "x-amz-checksum-crc32c": "4waSgw==" }), "400 BadDigest");
  assertEquals(await put(server, "a", "a", { "content-md5": "DMF1ucDxtqgxw5niaXcmYQ==" }), "200");
  assertEquals(await put(server, "a", "b", { "content-md5": "DMF1ucDxtqgxw5niaXcmYQ==" }), "400 BadDigest");
  assertEquals(new TextDecoder().decode(server.bytes("a")), "a");
});

Deno.test("S3Server lists in the order of UTF-8, page by page, with prefixes once", async () => {
  await using server = new S3Server();
  const keys = ["d/\u{1f600}", "d/\uff5e", "d/sub/1", "d/sub/2", "d/ü +%41", "d/", "e", "c"];
  for (const key of keys) server.plant(key, 1);
  const found: string[] = [];
  let token: string | undefined;
  for (let page = 0; page === 0 || token !== undefined; page++) {
    const query = { "list-type": "2", prefix: "d/", delimiter: "/", "max-keys": "1", "encoding-type": "url" };
    const { text } = await ask(server, {
      path: "/files",
      query: { ...query, ...token !== undefined && { "continuation-token": token } },
    });
    const entry = readElements(text, "Contents").map((it) => readText(it, "Key")).concat(
      readElements(text, "CommonPrefixes").map((it) => readText(it, "Prefix")),
    );
    assertEquals(entry.length, 1);
    found.push(decodeURIComponent(entry[0] ?? ""));
    token = readText(text, "NextContinuationToken");
  }
  assertEquals(found, ["d/", "d/sub/", "d/ü +%41", "d/\uff5e", "d/\u{1f600}"]);
});

Deno.test("S3Server lists uploads and parts page by page", async () => {
  await using server = new S3Server();
  const path = "/files/a";
  const begun = await ask(server, { method: "POST", path, query: { uploads: "" } });
  await ask(server, { method: "POST", path, query: { uploads: "" } });
  const uploadId = readText(begun.text, "UploadId") ?? "";
  for (const partNumber of ["1", "2"]) {
    await ask(server, { method: "PUT", path, query: { partNumber, uploadId }, body: partNumber });
  }
  const parts = await ask(server, { path, query: { uploadId, "max-parts": "1", "part-number-marker": "1" } });
  assertEquals(readElements(parts.text, "PartNumber"), ["2"]);
  assertEquals(readText(parts.text, "IsTruncated"), "false");
  const first = await ask(server, { path: "/files", query: { uploads: "", "max-uploads": "1" } });
  assertEquals(readText(first.text, "NextUploadIdMarker"), uploadId);
  const markers = { "key-marker": "a", "upload-id-marker": uploadId };
  const second = await ask(server, { path: "/files", query: { uploads: "", "max-uploads": "1", ...markers } });
  assertEquals([readElements(second.text, "Upload").length, readText(second.text, "IsTruncated")], [1, "false"]);
});

Deno.test("S3Server keeps of discarded bodies sizes and ETags, and reads zeros", async () => {
  await using server = new S3Server({ discardBodies: true });
  assertEquals(await put(server, "a", "123"), "200");
  const { text, headers } = await ask(server, { path: "/files/a", headers: { range: "bytes=1-" } });
  assertEquals([text, headers.get("etag")], ["\0\0", '"202cb962ac59075b964b07152d234b70"']);
});

Deno.test("S3Server counts requests and bytes, and keeps a journal of what was visible", async () => {
  await using server = new S3Server();
  await put(server, "a", "123");
  await (await sendSigned(server.endpoint, { path: "/files/a" })).body?.cancel();
  await ask(server, { method: "DELETE", path: "/files/a" });
  assertEquals([...server.takeCosts()], [
    ["PutObject", { requests: 1, bytesIn: 3, bytesOut: 0 }],
    ["GetObject", { requests: 1, bytesIn: 0, bytesOut: 3 }],
    ["DeleteObject", { requests: 1, bytesIn: 0, bytesOut: 0 }],
  ]);
  assertEquals(server.takeCosts().size, 0);
  assertEquals(server.journal().map(({ operation, object }) => [operation, object?.size]), [
    ["PutObject", 3],
    ["DeleteObject", undefined],
  ]);
  assert(server.objects().size === 0);
});
