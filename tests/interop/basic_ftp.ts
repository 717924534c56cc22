/**
 * How basic-ftp is run.
 *
 * @module
 */

import { Client } from "basic-ftp";
import { Writable } from "node:stream";
import { USER } from "../helpers/test_server.ts";
import { realClient } from "./clients.ts";
import type { RealClient, Step, Target } from "./real_client.ts";

/** basic-ftp on Deno. */
export const BASIC_FTP: RealClient = realClient("basic-ftp", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    const names: string[] = [];
    using client = await login(target);
    for (const step of steps) names.push(...await perform(client, step));
    return names;
  },
});

async function login({ host, port, protection, caFile }: Target): Promise<Client & Disposable> {
  const client = new Client(20_000);
  const disposable = Object.assign(client, { [Symbol.dispose]: () => client.close() });
  await client.access({
    host,
    port,
    user: USER.name,
    password: USER.password,
    secure: protection === "implicit" ? "implicit" : true,
    secureOptions: caFile === undefined ? {} : { ca: await Deno.readTextFile(caFile) },
  });
  return disposable;
}

async function perform(client: Client, { operation, remote, other }: Step): Promise<readonly string[]> {
  switch (operation) {
    case "list":
      return (await client.list(remote)).map(({ name }) => name);
    case "get":
      await download(client, other, remote);
      return [];
    case "put":
      await client.uploadFrom(other, remote);
      return [];
    case "resumeGet":
      await download(client, other, remote, (await Deno.stat(other)).size);
      return [];
    case "resumePut":
      await client.appendFrom(other, remote, { localStart: await client.size(remote) });
      return [];
    case "rename":
      await client.rename(remote, other);
      return [];
    case "mkdir":
      await client.send(`MKD ${remote}`);
      return [];
    case "rmdir":
      await client.send(`RMD ${remote}`);
      return [];
    case "delete":
      await client.remove(remote);
      return [];
    case "mirrorGet":
      await client.downloadToDir(other, remote);
      return [];
    case "mirrorPut":
      await client.uploadFromDir(other, remote);
      return [];
    default:
      throw new TypeError(`Cannot do "${operation}"`);
  }
}

/** Collects in memory: a TLS socket of Deno that was paused by a slower destination does not always go on. */
async function download(client: Client, local: string, remote: string, startAt = 0): Promise<void> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const collector = new Writable({
    highWaterMark: Number.MAX_SAFE_INTEGER,
    write(bytes: Uint8Array<ArrayBuffer>, _encoding, done): void {
      pieces.push(bytes);
      done();
    },
  });
  await client.downloadTo(collector, remote, startAt);
  await Deno.writeFile(local, new Blob(pieces).stream(), { append: startAt > 0 });
}
