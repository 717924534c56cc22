/**
 * Uploads to an object store over FTPS that are cut at random places, once or several times, and gone on with.
 *
 * @module
 */

import type { ServerEvent } from "../../../lib/events.ts";
import { S3Files } from "../../helpers/object_store/s3_files.ts";
import { S3Server } from "../../helpers/object_store/s3_server.ts";
import type { RawClient } from "../../helpers/raw_client.ts";
import { TestServer } from "../../helpers/test_server.ts";
import { Random } from "../random.ts";
import { CUTS, cutUpload, upload } from "./transfers.ts";

/** What is tried. */
export interface CutUploadsOptions {
  readonly uploads: number;
  readonly seed: number;
}

/** What has come of it. */
export interface CutUploadsResult {
  readonly uploads: number;
  readonly cuts: number;
  /** Cuts after which nothing was kept, so that the upload began anew. */
  readonly begunAnew: number;
  readonly bytes: number;
  /** Bytes that clients had to send more than once: those that the cut has swallowed on their way, too. */
  readonly bytesSentAgain: number;
  /** Bytes of these that the server had received: less than a part, and what is buffered before, for each cut. */
  readonly bytesReceivedAgain: number;
  /** Uploads that are left in the store after a sweep. */
  readonly orphans: number;
  /** Everything that must not be. */
  readonly wrong: readonly string[];
}

const PART_BYTES = 64 * 1024;
const MAX_BYTES = 16 * PART_BYTES;
/** What is on its way from the network to a part. */
const MAX_BUFFERED_BYTES = 512 * 1024;
const MAX_CUTS = 4;
const TWO_DAYS = 2 * 86_400;

/** Cuts and goes on, upload after upload. */
export async function cutUploads({ uploads, seed }: CutUploadsOptions): Promise<CutUploadsResult> {
  const random = new Random(seed);
  await using store = new S3Server({ minPartBytes: PART_BYTES });
  await using files = new S3Files({ endpoint: store.endpoint, partSize: PART_BYTES });
  await using server = await TestServer.start({ home: files.fileSystem });
  const total = { cuts: 0, begunAnew: 0, bytes: 0, bytesSentAgain: 0, bytesReceivedAgain: 0 };
  const wrong: string[] = [];
  for (let index = 0; index < uploads; index++) {
    const run = new CutUpload(server, store, random, `file ${index}`);
    const result = await run.toItsEnd();
    for (const key of Object.keys(total) as (keyof typeof total)[]) total[key] += result[key];
    wrong.push(...result.wrong);
  }
  await files.sweep(TWO_DAYS);
  return { uploads, ...total, orphans: store.uploads().length, wrong };
}

/** One file, of which an old version may be there. */
class CutUpload {
  readonly #server: TestServer;
  readonly #store: S3Server;
  readonly #random: Random;
  readonly #name: string;
  readonly #content: Uint8Array;
  readonly #old: Uint8Array | undefined;
  readonly #wrong: string[] = [];
  /** Events of cuts. */
  readonly #seen = new Set<ServerEvent>();

  constructor(server: TestServer, store: S3Server, random: Random, name: string) {
    this.#server = server;
    this.#store = store;
    this.#random = random;
    this.#name = name;
    this.#content = random.bytes(1 + random.below(MAX_BYTES));
    this.#old = random.oneIn(2) ? random.bytes(1000) : undefined;
    if (this.#old !== undefined) store.plant(name, this.#old);
  }

  async toItsEnd(): Promise<Omit<CutUploadsResult, "orphans" | "uploads">> {
    const total = { cuts: 0, begunAnew: 0, bytes: this.#content.length, bytesSentAgain: 0, bytesReceivedAgain: 0 };
    const cuts = 1 + this.#random.below(MAX_CUTS);
    let kept = 0;
    for (; total.cuts < cuts; total.cuts++) {
      const sent = kept + this.#random.below(this.#content.length - kept + 1);
      const received = await this.#cut(kept, sent);
      this.#compare(this.#old, `after cut ${total.cuts} at ${sent}`);
      const next = await this.#keptBytes();
      if (next > sent) this.#wrong.push(`${this.#name}: ${next} bytes are said to be kept of ${sent}`);
      if (next === 0) total.begunAnew++;
      const lost = kept + received - next;
      if (lost < 0 || lost >= PART_BYTES + MAX_BUFFERED_BYTES) {
        this.#wrong.push(`${this.#name}: ${lost} bytes that had come were not kept`);
      }
      total.bytesSentAgain += sent - next;
      total.bytesReceivedAgain += lost;
      kept = next;
    }
    await using client = await this.#login();
    const code = await upload(client, await this.#line(client, kept), this.#content.subarray(kept));
    if (code !== 226) this.#wrong.push(`${this.#name}: the rest was answered ${code}`);
    this.#compare(this.#content, "at the end");
    return { ...total, wrong: this.#wrong };
  }

  /** Returns how many bytes the server has received. */
  async #cut(kept: number, sent: number): Promise<number> {
    await using client = await this.#login();
    const line = await this.#line(client, kept);
    await cutUpload(client, line, this.#content.subarray(kept, sent), this.#random.pick(CUTS));
    const isNew = (event: ServerEvent) => !this.#seen.has(event);
    const isOfThis = (event: { readonly path: string }) => event.path === `/${this.#name}`;
    const cut = await this.#server.event("transferIncomplete", (event) => isOfThis(event) && isNew(event));
    this.#seen.add(cut);
    return cut.bytes;
  }

  /** What SIZE tells to go on at; the old file, if SIZE tells of that, is nothing to go on with. */
  async #keptBytes(): Promise<number> {
    await using client = await this.#login();
    const { code, lines } = await client.command(`SIZE ${this.#name}`);
    const size = code === 213 ? Number(lines[0]) : 0;
    return size === this.#old?.length ? 0 : size;
  }

  /** The command that goes on, behind REST where that is needed. */
  async #line(client: RawClient, kept: number): Promise<string> {
    if (kept === 0) return `STOR ${this.#name}`;
    if (this.#random.oneIn(2)) return `APPE ${this.#name}`;
    await client.expect(350, `REST ${kept}`);
    return `STOR ${this.#name}`;
  }

  async #login(): Promise<RawClient> {
    const client = await this.#server.login();
    await client.expect(200, "TYPE I");
    return client;
  }

  #compare(wanted: Uint8Array | undefined, when: string): void {
    const isThere = this.#store.objects().has(this.#name);
    const isRight = wanted === undefined ? !isThere : isThere && isSame(this.#store.bytes(this.#name), wanted);
    if (isRight) return;
    const there = isThere ? this.#store.bytes(this.#name) : new Uint8Array(0);
    const same = there.findIndex((byte, index) => byte !== wanted?.[index]);
    const found = `${there.length} bytes, other ones from ${same} on`;
    this.#wrong.push(`${this.#name} ${when}: ${found}, instead of ${wanted?.length ?? 0}`);
  }
}

/** Returns whether bytes are the same. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
