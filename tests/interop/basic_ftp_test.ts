import { Client } from "basic-ftp";
import { Writable } from "node:stream";
import { USER } from "../helpers/test_server.ts";
import { type FilePair, type RealClient, type Target, testClient } from "./client_suite.ts";

const BASIC_FTP: RealClient = {
  name: "basic-ftp",
  distrust: /certificate|self-signed|UnknownIssuer/i,
  resumes: [],

  async list(target: Target): Promise<readonly string[]> {
    using client = await login(target);
    return (await client.list()).map(({ name }) => name);
  },

  async upload(target: Target, files: readonly FilePair[]): Promise<void> {
    using client = await login(target);
    for (const { local, remote } of files) await client.uploadFrom(local, remote);
  },

  async download(target: Target, files: readonly FilePair[]): Promise<void> {
    using client = await login(target);
    for (const { local, remote } of files) await download(client, local, remote);
  },

  async resumeUpload(target: Target, { local, remote }: FilePair): Promise<void> {
    using client = await login(target);
    await client.appendFrom(local, remote, { localStart: await client.size(remote) });
  },

  async resumeDownload(target: Target, { local, remote }: FilePair): Promise<void> {
    using client = await login(target);
    await download(client, local, remote, (await Deno.stat(local)).size);
  },
};

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

testClient(BASIC_FTP);
