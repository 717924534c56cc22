/**
 * Uploads a file by the SDK of AWS, for comparison, and prints the seconds that it took and its processor seconds.
 *
 * usage: deno run --allow-all --no-lock bench/aws_upload.mjs ENDPOINT KEY FILE PART_BYTES
 *
 * @module
 */
// deno-lint-ignore-file no-console -- what it prints is what it is for

import { createReadStream } from "node:fs";
import process from "node:process";

// Not in deno.json: nothing but this comparison needs them.
const [{ S3Client }, { Upload }] = await Promise.all([
  import(["npm:@aws-sdk/client-s3", "3.1075.0"].join("@")),
  import(["npm:@aws-sdk/lib-storage", "3.1075.0"].join("@")),
]);
const [endpoint, Key, file, partBytes] = Deno.args;
const client = new S3Client({
  endpoint,
  region: "us-east-1",
  forcePathStyle: true,
  requestChecksumCalculation: "WHEN_REQUIRED",
  credentials: { accessKeyId: "AKIAFTPSD0000000TEST", secretAccessKey: "secretsecretsecretsecretsecretsecret0000" },
});
const start = performance.now();
const Body = createReadStream(file, { highWaterMark: 1024 * 1024 });
await new Upload({
  client,
  params: { Bucket: "files", Key, Body },
  partSize: Number(partBytes),
  queueSize: 4,
}).done();
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 }));
Deno.exit(0);
