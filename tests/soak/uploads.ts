/**
 * Kills a server at random moments while a client uploads, and looks whether what it has told of the uploads is true.
 *
 * ```sh
 * deno run -P=test tests/soak/uploads.ts                                    # 100 kills, atomic, then 100 in place
 * deno run -P=test tests/soak/uploads.ts --kills=1000 --seed=7 atomic
 * ```
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { SpawnedServer, writeFlags } from "../cli/spawned_server.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

/** How files are uploaded. */
export const UPLOAD_MODES = ["atomic", "in place"] as const;

/** One of them. */
export type UploadMode = typeof UPLOAD_MODES[number];

/** What is tried. */
export interface UploadOptions {
  readonly mode: UploadMode;
  readonly kills: number;
  readonly seed: number;
}

/** What has come of it. */
export interface UploadResult {
  /** Uploads that the client was told 226 of. */
  readonly acknowledged: number;
  /** Kills in the middle of an upload. */
  readonly interrupted: number;
  /** Downloads by others meanwhile, from a server that nobody kills. */
  readonly downloads: number;
  /** Files left under a hidden name. */
  readonly staleUploads: number;
  /** Files left after the next upload, a day later. */
  readonly leftAfterCleaning: number;
  /** Everything that must not be. */
  readonly wrong: readonly string[];
}

/** Longest time from the login to the kill. */
const MAX_LIFE_MS = 300;
const MIN_BYTES = 100_000;
const MAX_BYTES = 2_000_000;
const DAY_MS = 24 * 60 * 60 * 1000;
const FILE = "file";

/** Plays all kills on one home. */
export async function killUploads({ mode, kills, seed }: UploadOptions): Promise<UploadResult> {
  await using folder = await TemporaryFolder.create();
  const home = `${folder.path}/home`;
  await Deno.mkdir(home);
  await Deno.writeTextFile(`${folder.path}/ftpsd.yaml`, configuration(mode));
  await place(0, folder.path);
  await using bystander = await TestServer.start({ home, protection: "clear", server: { upload: { atomic: true } } });
  const wrong: string[] = [];
  const total = { acknowledged: 0, interrupted: 0 };
  await using reader = mode === "atomic" ? await Reader.start(bystander, wrong) : undefined;
  const random = createRandom(seed);
  let version = 0;
  for (let kill = 0; kill < kills; kill++) {
    // An upload that was not acknowledged may have come whole all the same
    await place(version, folder.path);
    const { acknowledged, begun } = await uploadUntilKilled(folder.path, version, random() * MAX_LIFE_MS);
    total.acknowledged += acknowledged - version;
    if (begun > acknowledged) total.interrupted++;
    const problem = problemOf(await Deno.readFile(`${home}/${FILE}`), { acknowledged, begun, mode });
    if (problem !== undefined) wrong.push(`after kill ${kill}: ${problem}`);
    version = begun;
  }
  const downloads = await reader?.stop() ?? 0;
  return { ...total, downloads, wrong, ...await cleanUp(bystander, home, wrong) };
}

/** Puts a version in place at once. */
async function place(version: number, folder: string): Promise<void> {
  await Deno.writeFile(`${folder}/next`, contentOf(version));
  await Deno.rename(`${folder}/next`, `${folder}/home/${FILE}`);
}

/** Starts a server and uploads version after version to it, until it is killed. */
async function uploadUntilKilled(
  folder: string,
  version: number,
  lifeMs: number,
): Promise<{ readonly acknowledged: number; readonly begun: number }> {
  await using server = await SpawnedServer.start({
    flags: writeFlags(folder),
    args: ["--config", `${folder}/ftpsd.yaml`],
  });
  await using client = await server.login(USER.name, USER.password);
  await client.expect(200, "TYPE I");
  let acknowledged = version;
  let begun = version;
  const timer = setTimeout(() => server.kill("SIGKILL"), lifeMs);
  try {
    for (;;) {
      const content = contentOf(begun + 1);
      begun++;
      await client.store(FILE, content);
      acknowledged = begun;
    }
  } catch {
    // The server was killed, which is made sure of here
    await server.exited();
  } finally {
    clearTimeout(timer);
  }
  return { acknowledged, begun };
}

/** What is wrong with a file after a kill; `undefined` for nothing. */
function problemOf(
  content: Uint8Array,
  { acknowledged, begun, mode }: { readonly acknowledged: number; readonly begun: number; readonly mode: UploadMode },
): string | undefined {
  const version = versionOf(content);
  if (version !== undefined && version >= acknowledged && version <= begun) return undefined;
  if (mode === "in place" && begun > acknowledged && isPartOf(content, contentOf(begun))) return undefined;
  const what = version === undefined ? `${content.length} bytes of no version` : `version ${version}`;
  return `${what}, when ${acknowledged} was acknowledged and ${begun} begun`;
}

/** Downloads the file again and again, from a server that lives on. */
class Reader implements AsyncDisposable {
  readonly #client: RawClient;
  readonly #wrong: string[];
  readonly #reading: Promise<number>;
  #isStopped = false;

  private constructor(client: RawClient, wrong: string[]) {
    this.#client = client;
    this.#wrong = wrong;
    this.#reading = this.#read();
    this.#reading.catch(() => {}); // told by stop()
  }

  static async start(server: TestServer, wrong: string[]): Promise<Reader> {
    const client = await server.login();
    await client.expect(200, "TYPE I");
    return new Reader(client, wrong);
  }

  /** Ends the last download; returns how many there were. */
  async stop(): Promise<number> {
    this.#isStopped = true;
    return await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#client[Symbol.asyncDispose]();
  }

  async #read(): Promise<number> {
    let downloads = 0;
    for (let last = 0; !this.#isStopped; downloads++) {
      const content = await this.#client.retrieve(FILE);
      const version = versionOf(content);
      if (version === undefined) this.#wrong.push(`a download of ${content.length} bytes of no version`);
      else if (version < last) this.#wrong.push(`version ${version} after ${last}`);
      last = version ?? last;
    }
    return downloads;
  }
}

/** Looks what was left, and uploads once more when it is a day old. */
async function cleanUp(
  server: TestServer,
  home: string,
  wrong: string[],
): Promise<Pick<UploadResult, "staleUploads" | "leftAfterCleaning">> {
  const hidden = () => Array.from(Deno.readDirSync(home), ({ name }) => name).filter((name) => name !== FILE);
  const before = hidden();
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  const listing = await client.list("NLST");
  if (listing !== `${FILE}\r\n`) wrong.push(`listed: ${listing}`);
  const past = new Date(Date.now() - 2 * DAY_MS);
  for (const name of before) await Deno.utime(`${home}/${name}`, past, past);
  await client.store(FILE, contentOf(0));
  return { staleUploads: before.length, leftAfterCleaning: hidden().length };
}

/** A content that tells its version and whether it is whole. */
function contentOf(version: number): Uint8Array<ArrayBuffer> {
  const random = createRandom(version);
  const bytes = new Uint8Array(MIN_BYTES + Math.floor(random() * (MAX_BYTES - MIN_BYTES)));
  new DataView(bytes.buffer).setUint32(0, version);
  return bytes.fill(1 + version % 255, 4);
}

function versionOf(content: Uint8Array): number | undefined {
  if (content.length < MIN_BYTES) return undefined;
  const version = new DataView(content.buffer, content.byteOffset).getUint32(0);
  const whole = contentOf(version);
  return whole.length === content.length && isPartOf(content, whole) ? version : undefined;
}

function isPartOf(part: Uint8Array, whole: Uint8Array): boolean {
  return part.length <= whole.length && part.every((byte, index) => byte === whole[index]);
}

/** Numbers from 0 to 1 that are the same for each seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function configuration(mode: UploadMode): string {
  return `
    upload: { atomic: ${mode === "atomic"} }
    users:
      - { name: ${USER.name}, password: "${USER.password}", home: home, permissions: elradfmwMT }
    acceptRisks:
      - { risk: plaintext-password, reason: it is known to the test }
  `;
}

async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, { string: ["kills", "seed"], default: { kills: "100", seed: "1" } });
  const wanted = options._.map(String);
  // deno-lint-ignore no-console -- it is a program
  const print = console.log;
  let isRight = true;
  for (const mode of UPLOAD_MODES) {
    if (wanted.length > 0 && !wanted.includes(mode)) continue;
    const result = await killUploads({ mode, kills: Number(options.kills), seed: Number(options.seed) });
    print(mode, result);
    isRight &&= result.wrong.length === 0 && result.leftAfterCleaning === 0;
  }
  if (!isRight) Deno.exit(1);
}

if (import.meta.main) await main(Deno.args);
