import { assert, assertEquals, assertGreater } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TestServer, USER } from "../helpers/test_server.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

const RATE = 512 * 1024;
const FILE = new Uint8Array(RATE / 2).fill(7);
/** At the rate, less the burst and what clocks are off. */
const MIN_MS = 350;

/** A server whose user has the file `file`, and rates of its own if they are given. */
async function start(
  options: Partial<FtpServerOptions>,
  bandwidth: { readonly upload?: number; readonly download?: number } = {},
): Promise<TestServer> {
  const home = new MemoryFileSystem();
  const file = await home.openWrite("/file", "truncate");
  await file.write(FILE, UNABORTED);
  file.close();
  const authorizer = new VirtualAuthorizer();
  authorizer.addUser(USER.name, USER.password, home, { permissions: "elrw", limits: { bandwidth } });
  return await TestServer.start({ server: { authorizer, ...options } });
}

async function measure(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function download(client: RawClient): Promise<void> {
  assertEquals((await client.retrieve("file")).length, FILE.length);
}

let uploads = 0;

async function upload(client: RawClient): Promise<void> {
  await client.store(`upload${++uploads}`, FILE);
}

async function login(server: TestServer): Promise<RawClient> {
  const client = await server.login();
  await client.expect(200, "TYPE I");
  return client;
}

const DIRECTIONS = [["download", download, upload], ["upload", upload, download]] as const;

for (const [direction, limited, free] of DIRECTIONS) {
  Deno.test(`transfer.bandwidth.${direction} keeps a transfer to the rate, and none of the other direction`, async () => {
    await using server = await start({ transfer: { bandwidth: { [direction]: RATE } } });
    await using client = await login(server);
    const slowMs = await measure(() => limited(client));
    assertGreater(slowMs, MIN_MS);
    // At the rate none of them could be so quick, however much a busy machine slows others down.
    let quickestMs = Infinity;
    for (let tries = 0; tries < 20 && quickestMs >= MIN_MS; tries++) {
      quickestMs = Math.min(quickestMs, await measure(() => free(client)));
    }
    assert(quickestMs < MIN_MS, `${quickestMs} ms without limit, ${slowMs} ms with`);
  });

  Deno.test(`limits.bandwidth.${direction} of an account is shared by its sessions`, async () => {
    await using server = await start({}, { [direction]: RATE });
    await using one = await login(server);
    await using other = await login(server);
    // Two files at the rate of one: twice as long, less one burst.
    const togetherMs = await measure(() => Promise.all([limited(one), limited(other)]));
    assertGreater(togetherMs, 2 * MIN_MS);
  });
}

Deno.test("a transfer that keeps to its rate does not stall", async () => {
  await using server = await start({ transfer: { bandwidth: { download: RATE } }, timeouts: { data: 0.2 } });
  await using client = await login(server);
  await download(client);
});

Deno.test("a transfer that rests for its rate ends at once on ABOR", async () => {
  await using server = await start({ transfer: { bandwidth: { download: 1024 } } });
  await using client = await login(server);
  await using data = await client.passive();
  await client.expect(150, "RETR file");
  await data.secure();
  // At this rate the file would take minutes.
  await client.expect(426, "ABOR");
  assertEquals((await client.readReply("ABOR")).code, 226);
});
