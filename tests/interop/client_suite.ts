/**
 * What every real client must be able to do with the server: one suite, an adapter for each client.
 *
 * @module
 */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { programTest } from "../helpers/client_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { type Protection, TestServer, type TestServerOptions } from "../helpers/test_server.ts";

/** Where a client finds the server, and what it may trust. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly protection: Protection;
  /** PEM file of the only certificate to trust; absent: those that the client trusts by itself. */
  readonly caFile: string | undefined;
}

/** TLS versions of the server. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** One file to move. */
export interface FilePair {
  /** Path on the client's side. */
  readonly local: string;
  /** Name on the server, in its root. */
  readonly remote: string;
}

/** A real client. Each call is one session as the user of the test server; it rejects when the client reports a failure. */
export interface RealClient {
  readonly name: string;
  /** What it runs; absent: it is always there. */
  readonly program?: string;
  /** How it says that a certificate is not trusted. */
  readonly distrust: RegExp;
  /** TLS versions in which each of its downloads can resume the session of the control connection. */
  readonly resumes: readonly TlsVersion[];
  /** Names in the root. */
  list(target: Target): Promise<readonly string[]>;
  upload(target: Target, files: readonly FilePair[]): Promise<void>;
  download(target: Target, files: readonly FilePair[]): Promise<void>;
  /** Goes on behind the bytes that the server has. */
  resumeUpload(target: Target, file: FilePair): Promise<void>;
  /** Goes on behind the bytes of the local file. */
  resumeDownload(target: Target, file: FilePair): Promise<void>;
}

const NETWORKS = [
  { protection: "explicit", host: "127.0.0.1", version: "TLSv1.2" },
  { protection: "explicit", host: "::1", version: "TLSv1.3" },
  { protection: "implicit", host: "127.0.0.1", version: "TLSv1.3" },
  { protection: "implicit", host: "::1", version: "TLSv1.2" },
] as const;

const MEBIBYTE = 1024 * 1024;

const FILES: Readonly<Record<string, number>> = {
  "empty.bin": 0,
  "one byte.bin": 1,
  "300 kilobytes.bin": 300_000,
  "'single' and \"double\" quotes.bin": 4_096,
  "semi;colon & $ign % #1.bin": 65_535,
  "Umläute ÄÖÜß.bin": 65_536,
  "emoji 🎈🇩🇪.bin": 65_537,
  "large.bin": 16 * MEBIBYTE,
};

/** In one session. */
const DOWNLOADS = 50;

/** Defines the tests of one client. */
export function testClient(client: RealClient): void {
  for (const network of NETWORKS) {
    const { protection, host, version } = network;
    defineTest(client, `moves files byte-exactly over ${protection} ${version} to ${host}`, async () => {
      await using scene = await Scene.start({ host, protection, server: { tls: onlyVersion(version) } });
      await scene.roundTrip(client, FILES);
      const versions = scene.server.events.flatMap((event) => event.event === "secured" ? [event.protocol] : []);
      assertEquals(new Set(versions), new Set([version]));
    });
  }

  defineTest(client, "moves 1 GiB byte-exactly", async () => {
    await using scene = await Scene.start({});
    await scene.roundTrip(client, { "huge.bin": 1024 * MEBIBYTE });
  }, { ignore: Deno.env.get("FTPSD_TEST_LARGE") !== "1" });

  defineTest(client, "resumes an upload that was cut", async () => {
    await using scene = await Scene.start({});
    const file = await scene.localFile("cut.bin", 2 * MEBIBYTE);
    await cutUpload(scene.server, file);
    await client.resumeUpload(scene.target, file);
    assertEquals(await digestOf(`${scene.home}/${file.remote}`), await digestOf(file.local));
  });

  defineTest(client, "resumes a download that was cut", async () => {
    await using scene = await Scene.start({});
    const file = await scene.remoteFile("cut.bin", 2 * MEBIBYTE);
    const whole = await Deno.readFile(`${scene.home}/${file.remote}`);
    await Deno.writeFile(file.local, whole.subarray(0, 700_001));
    await client.resumeDownload(scene.target, file);
    assertEquals(await digestOf(file.local), await digestOf(`${scene.home}/${file.remote}`));
    const sent = await scene.server.event("fileSent");
    assertEquals(sent.bytes, whole.length - 700_001);
  });

  for (const protection of ["explicit", "implicit"] as const) {
    defineTest(client, `refuses a certificate that nothing vouches for, ${protection}`, async () => {
      await using scene = await Scene.start({ protection });
      const error = await assertRejects(() => client.list({ ...scene.target, caFile: undefined }), Error);
      assertMatch(error.message, client.distrust);
      await scene.server.event("disconnected");
      assertEquals(scene.server.events.filter(({ event }) => event === "loginSucceeded"), []);
    });
  }

  for (const version of client.resumes) {
    defineTest(client, `downloads ${DOWNLOADS} files where ${version} sessions must be resumed`, async () => {
      await using scene = await Scene.start({ server: { tls: { ...onlyVersion(version), sessionReuse: "require" } } });
      const files = await Promise.all(
        Array.from({ length: DOWNLOADS }, (_, i) => scene.remoteFile(`${i}.bin`, 1000 * i)),
      );
      await client.download(scene.target, files);
      assertEquals(await digestsOf(scene.local, files), await digestsOf(scene.home, files));
    });
  }
}

/** A server with a folder for each side. */
export class Scene implements AsyncDisposable {
  readonly server: TestServer;
  readonly target: Target;
  /** Folder of the server. */
  readonly home: string;
  /** Folder of the client. */
  readonly local: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(parts: Pick<Scene, "server" | "target" | "home" | "local">, resources: AsyncDisposableStack) {
    this.server = parts.server;
    this.target = parts.target;
    this.home = parts.home;
    this.local = parts.local;
    this.#resources = resources;
  }

  /** Starts the server, with two empty folders. */
  static async start(options: TestServerOptions): Promise<Scene> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await TemporaryFolder.create());
    const [home, local, caFile] = [`${folder.path}/home`, `${folder.path}/local`, `${folder.path}/ca.pem`];
    await Promise.all([Deno.mkdir(home), Deno.mkdir(local)]);
    const server = resources.use(await TestServer.start({ ...options, home }));
    await Deno.writeTextFile(caFile, server.caCert);
    const { host, port } = server;
    const target: Target = { host, port, protection: options.protection ?? "explicit", caFile };
    return new Scene({ server, target, home, local }, resources.move());
  }

  /** Writes a file of random bytes on the client's side. */
  async localFile(name: string, bytes: number): Promise<FilePair> {
    const local = `${this.local}/${name}`;
    await writeRandomFile(local, bytes);
    return { local, remote: name };
  }

  /** Writes a file of random bytes on the server's side. */
  async remoteFile(name: string, bytes: number): Promise<FilePair> {
    await writeRandomFile(`${this.home}/${name}`, bytes);
    return { local: `${this.local}/${name}`, remote: name };
  }

  /** Uploads files of the given sizes by name, lists them, downloads them again, and compares. */
  async roundTrip(client: RealClient, files: Readonly<Record<string, number>>): Promise<void> {
    const pairs = await Promise.all(Object.entries(files).map(([name, bytes]) => this.localFile(name, bytes)));
    const original = await digestsOf(this.local, pairs);
    await client.upload(this.target, pairs);
    assertEquals(await digestsOf(this.home, pairs), original);
    assertEquals((await client.list(this.target)).toSorted(), pairs.map(({ remote }) => remote).toSorted());
    await Promise.all(pairs.map(({ local }) => Deno.remove(local)));
    await client.download(this.target, pairs);
    assertEquals(await digestsOf(this.local, pairs), original);
    assertEquals(this.server.events.filter(({ event }) => event === "transferIncomplete"), []);
  }

  /** Stops the server and removes the folders. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

function defineTest(
  client: RealClient,
  criterion: string,
  fn: () => Promise<void>,
  options: { readonly ignore?: boolean } = {},
): void {
  const name = `${client.name} ${criterion}`;
  if (options.ignore) Deno.test({ name: `${name} (ignored: FTPSD_TEST_LARGE is not 1)`, ignore: true, fn });
  else if (client.program === undefined) Deno.test({ name, fn });
  else Deno.test(programTest({ program: client.program, name, fn }));
}

function onlyVersion(version: TlsVersion) {
  return { minVersion: version, maxVersion: version };
}

/** Sends about half of a file, then resets the data connection. */
async function cutUpload(server: TestServer, file: FilePair): Promise<void> {
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await using data = await client.passive();
  await client.expect(150, `STOR ${file.remote}`);
  await data.secure();
  const bytes = await Deno.readFile(file.local);
  await data.write(bytes.subarray(0, bytes.length / 2));
  await data.reset();
  assertEquals((await client.readReply("a cut upload")).code, 426);
}

async function writeRandomFile(path: string, bytes: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const piece = new Uint8Array(MEBIBYTE);
  for (let left = bytes; left > 0; left -= piece.length) {
    for (let from = 0; from < piece.length; from += 65_536) crypto.getRandomValues(piece.subarray(from, from + 65_536));
    file.writeSync(piece.subarray(0, left));
  }
}

async function digestsOf(folder: string, files: readonly FilePair[]): Promise<Record<string, string>> {
  const digests = files.map(async ({ remote }) => [remote, await digestOf(`${folder}/${remote}`)]);
  return Object.fromEntries(await Promise.all(digests));
}

async function digestOf(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const piece = new Uint8Array(MEBIBYTE);
  for (let count = file.readSync(piece); count !== null; count = file.readSync(piece)) {
    hash.update(piece.subarray(0, count));
  }
  return hash.digest("hex");
}
