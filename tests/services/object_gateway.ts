/**
 * A real object store for the tests: the gateway of Ceph, with the daemons that it needs, all on 127.0.0.1. They run as whoever
 * starts them. Debian and Ubuntu: `apt-get install --no-install-recommends radosgw ceph-mon ceph-osd ceph-common`.
 *
 * @module
 */

import { TEST_CREDENTIALS } from "../helpers/object_store/s3_signature.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { sendSigned } from "../helpers/object_store/signed_request.ts";
import { cephConfiguration, type CephPlace } from "./ceph_configuration.ts";
import { freePort } from "./free_port.ts";

const READY_WITHIN_MS = 60_000;
const POLL_MS = 100;
/** Bucket that the tests use; each has a prefix of its own in it. */
const BUCKET = "files";

/**
 * Starts it in a folder that is empty.
 *
 * @returns URL of the gateway.
 * @throws {Error} When a program is missing or fails, with what it said.
 */
export async function startObjectGateway(folder: string): Promise<string> {
  for (const name of ["mon", "osd", "gateway", "run", "log", "crash"]) await Deno.mkdir(`${folder}/${name}`);
  const id = crypto.randomUUID();
  const place: CephPlace = { folder, id, monitorPort: freePort(), diskPort: freePort(), gatewayPort: freePort() };
  await Deno.writeTextFile(`${folder}/ceph.conf`, cephConfiguration(place));
  await makeKeys(folder);
  await startMonitor(place);
  await startDisk(folder);
  await run("radosgw", "-c", `${folder}/ceph.conf`, "-n", "client.rgw");
  const endpoint = `http://127.0.0.1:${place.gatewayPort}`;
  await waitUntilAnswered(endpoint);
  const { accessKey, secretKey } = TEST_CREDENTIALS;
  const user = ["--uid=ftpsd", "--display-name=ftpsd", `--access-key=${accessKey}`, `--secret-key=${secretKey}`];
  await run("radosgw-admin", "-c", `${folder}/ceph.conf`, "user", "create", ...user);
  const made = await sendSigned(endpoint, { method: "PUT", path: `/${BUCKET}` });
  if (!made.ok) throw new Error(`Cannot make a bucket: ${made.status} ${await made.text()}`);
  await made.body?.cancel();
  return endpoint;
}

async function makeKeys(folder: string): Promise<void> {
  const all = ["--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"];
  const keys = [
    ["mon.", "--cap", "mon", "allow *"],
    ["client.admin", ...all],
    ["client.rgw", ...all],
    ["osd.0", "--cap", "mon", "allow profile osd", "--cap", "osd", "allow *"],
  ] as const;
  for (const [index, [name, ...capabilities]] of keys.entries()) {
    const create = index === 0 ? ["--create-keyring"] : [];
    await run("ceph-authtool", ...create, `${folder}/keyring`, "--gen-key", "-n", name, ...capabilities);
  }
}

async function startMonitor({ folder, id, monitorPort }: CephPlace): Promise<void> {
  const map = `${folder}/monmap`;
  await run("monmaptool", "--create", "--fsid", id, "--addv", "a", `[v2:127.0.0.1:${monitorPort}]`, map);
  const monitor = ["-c", `${folder}/ceph.conf`, "-i", "a"];
  await run("ceph-mon", ...monitor, "--mkfs", "--monmap", map, "--keyring", `${folder}/keyring`);
  await run("ceph-mon", ...monitor);
}

async function startDisk(folder: string): Promise<void> {
  const id = crypto.randomUUID();
  const configuration = ["-c", `${folder}/ceph.conf`];
  await run("ceph", ...configuration, "--connect-timeout", "30", "osd", "new", id);
  await run("ceph-osd", ...configuration, "-i", "0", "--mkfs", "--osd-uuid", id);
  await run("ceph-osd", ...configuration, "-i", "0");
}

async function run(program: string, ...args: readonly string[]): Promise<void> {
  await requireProgram(program, args);
}

async function waitUntilAnswered(endpoint: string): Promise<void> {
  const deadline = AbortSignal.timeout(READY_WITHIN_MS);
  while (!deadline.aborted) {
    try {
      const answer = await fetch(endpoint, { signal: deadline });
      await answer.body?.cancel();
      return;
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`The object gateway did not answer within ${READY_WITHIN_MS / 1000} s`);
}
