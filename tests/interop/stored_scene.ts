/**
 * A server whose files are in a real object store, and a folder for the client, for tests with real clients.
 *
 * @module
 */

import type { RealStore } from "../helpers/object_store/real_store.ts";
import { S3Files } from "../helpers/object_store/s3_files.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";
import type { FilePair, Target } from "./real_client.ts";

/** Bytes of a part: the least that stores take. */
export const PART_BYTES: number = 5 * 2 ** 20;

/** A server on a store. */
export class StoredScene implements AsyncDisposable {
  readonly server: TestServer;
  readonly target: Target;
  readonly files: S3Files;
  /** Folder of the client. */
  readonly local: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(
    parts: Pick<StoredScene, "server" | "target" | "files" | "local">,
    resources: AsyncDisposableStack,
  ) {
    this.server = parts.server;
    this.target = parts.target;
    this.files = parts.files;
    this.local = parts.local;
    this.#resources = resources;
  }

  /** Starts the server, with nothing in its part of the store. */
  static async start({ endpoint, prefix }: RealStore): Promise<StoredScene> {
    await using resources = new AsyncDisposableStack();
    const folder = resources.use(await TemporaryFolder.create());
    const [local, scratch, caFile] = [`${folder.path}/local`, `${folder.path}/scratch`, `${folder.path}/ca.pem`];
    await Promise.all([Deno.mkdir(local), Deno.mkdir(scratch)]);
    const files = resources.use(new S3Files({ endpoint, prefix, partSize: PART_BYTES }));
    const server = resources.use(await TestServer.start({ home: files.fileSystem }));
    await Deno.writeTextFile(caFile, server.caCert);
    const { host, port } = server;
    const target: Target = { host, port, protection: "explicit", caFile, active: false, scratch };
    return new StoredScene({ server, target, files, local }, resources.move());
  }

  /** Writes a file of random bytes on the client's side. */
  async localFile(name: string, size: number): Promise<FilePair> {
    const bytes = new Uint8Array(size);
    for (let from = 0; from < size; from += 65_536) crypto.getRandomValues(bytes.subarray(from, from + 65_536));
    await Deno.writeFile(`${this.local}/${name}`, bytes);
    return { local: `${this.local}/${name}`, remote: name };
  }

  /** Uploads so many bytes of a file, then resets the data connection; returns what SIZE tells of it. */
  async cutUpload({ local, remote }: FilePair, bytes: number): Promise<number> {
    await using client = await this.server.login();
    await client.expect(200, "TYPE I");
    await using data = await client.passive();
    await client.expect(150, `STOR ${remote}`);
    await data.secure();
    await data.write((await Deno.readFile(local)).subarray(0, bytes));
    await data.reset();
    const { code } = await client.readReply("a cut upload");
    if (code !== 426) throw new Error(`The cut upload was answered ${code}`);
    const [size = ""] = (await client.expect(213, `SIZE ${remote}`)).lines;
    return Number(size.split(" ").at(-1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}
