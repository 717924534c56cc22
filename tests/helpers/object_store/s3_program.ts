/**
 * The stand-in for S3 as a program of its own, so that it shares no processor seconds and no memory with what is measured.
 *
 * usage: deno run --allow-net=127.0.0.1 tests/helpers/object_store/s3_program.ts [--discard-bodies] [--objects=N] [--port=N]
 *
 * Prints its URL, and serves until it is stopped.
 *
 * @module
 */

import { S3Server } from "./s3_server.ts";

if (import.meta.main) {
  const option = (name: string) => Deno.args.find((it) => it.startsWith(`--${name}=`))?.slice(name.length + 3);
  const server = new S3Server({
    discardBodies: Deno.args.includes("--discard-bodies"),
    port: Number(option("port") ?? 0),
  });
  for (let index = 0; index < Number(option("objects") ?? 0); index++) {
    server.plant(`many/file-${String(index).padStart(7, "0")}.dat`, 1000);
  }
  // deno-lint-ignore no-console -- this is what the program prints
  console.log(server.endpoint);
}
