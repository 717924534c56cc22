/**
 * A server and a folder for each side, for tests with real clients.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer, type TestServerOptions } from "../helpers/test_server.ts";
import type { FilePair, RealClient, Step, Target, TlsVersion } from "./real_client.ts";

const MEBIBYTE = 1024 * 1024;

/** What a scene is made of. */
export interface SceneOptions extends TestServerOptions {
  /** Whether the client has to use active mode. */
  readonly active?: boolean;
  /** The only TLS version of the server. */
  readonly version?: TlsVersion | undefined;
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
  static async start(options: SceneOptions): Promise<Scene> {
    await using resources = new AsyncDisposableStack();
    const { active = false, version, server: settings, protection = "explicit", ...rest } = options;
    const folder = resources.use(await TemporaryFolder.create());
    const [home, local, scratch] = [`${folder.path}/home`, `${folder.path}/local`, `${folder.path}/scratch`];
    const caFile = `${folder.path}/ca.pem`;
    await Promise.all([Deno.mkdir(home), Deno.mkdir(local), Deno.mkdir(scratch)]);
    const tls = { ...version && { minVersion: version, maxVersion: version }, ...settings?.tls };
    const server = resources.use(
      await TestServer.start({ ...rest, protection, home, server: { ...settings, tls, active: { enabled: active } } }),
    );
    await Deno.writeTextFile(caFile, server.caCert);
    const { host, port } = server;
    const target: Target = { host, port, protection, caFile, active, scratch };
    return new Scene({ server, target, home, local }, resources.move());
  }

  /** The same scene with a client that connects to another port, where something passes it on. Dispose of this one only. */
  through(port: number): Scene {
    return new Scene({ ...this, target: { ...this.target, port } }, new AsyncDisposableStack());
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

  /**
   * Uploads files of the given sizes by name and downloads them again, in one session if the client can, lists them, and
   * compares. What a client does not do is done for it.
   */
  async roundTrip(client: RealClient, files: Readonly<Record<string, number>>): Promise<void> {
    const pairs = await Promise.all(Object.entries(files).map(([name, bytes]) => this.localFile(name, bytes)));
    const original = await digestsOf(this.local, pairs);
    const back = `${this.local}/back`;
    await Deno.mkdir(back);
    const can = new Set(client.operations);
    if (!can.has("put")) {
      await Promise.all(pairs.map(({ local, remote }) => Deno.copyFile(local, `${this.home}/${remote}`)));
    }
    await client.run(this.target, [
      ...can.has("put") ? pairs.map((pair) => fileStep("put", pair)) : [],
      ...can.has("get") ? pairs.map(({ remote }) => fileStep("get", { remote, local: `${back}/${remote}` })) : [],
    ]);
    assertEquals(await digestsOf(this.home, pairs), original);
    if (can.has("get")) assertEquals(await digestsOf(back, pairs), original);
    if (can.has("list")) {
      const names = await client.run(this.target, [{ operation: "list", remote: "", other: "" }]);
      assertEquals(names.toSorted(), pairs.map(({ remote }) => remote).toSorted());
    }
    this.assertComplete();
  }

  /** Fails if a transfer was cut. */
  assertComplete(): void {
    assertEquals(this.server.events.filter(({ event }) => event === "transferIncomplete"), []);
  }

  /** Stops the server and removes the folders. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** A step that moves a file. */
export function fileStep(operation: Step["operation"], { local, remote }: FilePair): Step {
  return { operation, remote, other: local };
}

/** Hashes of files in a folder, by name. */
export async function digestsOf(folder: string, files: readonly FilePair[]): Promise<Record<string, string>> {
  const digests = files.map(async ({ remote }) => [remote, await digestOf(`${folder}/${remote}`)]);
  return Object.fromEntries(await Promise.all(digests));
}

/** Hash of a file. */
export async function digestOf(path: string): Promise<string> {
  using file = await Deno.open(path);
  const hash = createHash("sha256");
  const piece = new Uint8Array(MEBIBYTE);
  for (let count = file.readSync(piece); count !== null; count = file.readSync(piece)) {
    hash.update(piece.subarray(0, count));
  }
  return hash.digest("hex");
}

/** Contents of all files below a folder, by path; folders have a path that ends in a slash. */
export async function readTree(root: string, folder = ""): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}${name}`;
    if (!isDirectory) tree[path] = await Deno.readTextFile(`${root}/${path}`);
    else Object.assign(tree, { [`${path}/`]: "" }, await readTree(root, `${path}/`));
  }
  return tree;
}

/** Writes what {@linkcode readTree} reads. */
export async function writeTree(root: string, tree: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(tree)) {
    await Deno.mkdir(`${root}/${path.slice(0, path.lastIndexOf("/") + 1)}`, { recursive: true });
    if (!path.endsWith("/")) await Deno.writeTextFile(`${root}/${path}`, text);
  }
}

async function writeRandomFile(path: string, bytes: number): Promise<void> {
  using file = await Deno.open(path, { write: true, createNew: true });
  const piece = new Uint8Array(MEBIBYTE);
  for (let left = bytes; left > 0; left -= piece.length) {
    for (let from = 0; from < piece.length; from += 65_536) crypto.getRandomValues(piece.subarray(from, from + 65_536));
    file.writeSync(piece.subarray(0, left));
  }
}
