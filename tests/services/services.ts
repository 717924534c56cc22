/**
 * Starts and stops the services that tests need beside the server, as a program.
 *
 * usage: deno run … tests/services/services.ts start|stop
 *
 * `start` prints lines for the shell that name them in the environment. What they keep is in a temporary folder, which `stop`
 * removes; `dist/services` says where it is. Both can be said twice.
 *
 * @module
 */

import { startObjectGateway } from "./object_gateway.ts";
import { startPostgres, stopPostgres } from "./postgres.ts";

const NOTE = new URL("../../dist/services", import.meta.url);
const ENVIRONMENT = "environment";
const STOP_WITHIN_MS = 20_000;
const POLL_MS = 50;

if (import.meta.main) {
  const [command] = Deno.args;
  if (command === "start") await start();
  else if (command === "stop") await stop();
  else throw new TypeError(`Cannot "${command}": say "start" or "stop"`);
}

async function start(): Promise<void> {
  const running = await readNote();
  if (running !== undefined) return print(await Deno.readTextFile(`${running}/${ENVIRONMENT}`));
  const folder = await Deno.makeTempDir({ prefix: "ftpsd-services-" });
  await Deno.mkdir(new URL(".", NOTE), { recursive: true });
  await Deno.writeTextFile(NOTE, folder);
  try {
    const gateway = `${folder}/ceph`;
    await Deno.mkdir(gateway);
    const database = `${folder}/postgres`;
    await Deno.mkdir(database);
    await Deno.chmod(folder, 0o711); // the database runs as somebody else
    const cluster = await startPostgres(database);
    const environment = `export FTPSD_TEST_S3=${await startObjectGateway(gateway)}\n` +
      `export FTPSD_TEST_POSTGRES=${cluster.url()}\nexport FTPSD_TEST_POSTGRES_CA=${database}/ca.pem\n`;
    await Deno.copyFile(cluster.authorityFile, `${database}/ca.pem`);
    await Deno.writeTextFile(`${folder}/${ENVIRONMENT}`, environment);
    print(environment);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function stop(): Promise<void> {
  const folder = await readNote();
  if (folder === undefined) return;
  const daemons = await findDaemons(`${folder}/ceph/run`);
  // The gateway first: it waits for the others.
  for (const name of ["client.rgw", "osd.0", "mon.a"]) {
    const pid = daemons.get(name);
    if (pid !== undefined) await end(pid);
  }
  await stopPostgres(`${folder}/postgres`);
  await Deno.remove(folder, { recursive: true });
  await Deno.remove(NOTE);
}

/** Folder of the services that were started, if it is still there. */
async function readNote(): Promise<string | undefined> {
  try {
    const folder = await Deno.readTextFile(NOTE);
    return (await Deno.stat(folder)).isDirectory ? folder : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Processes by the names of their files, without those whose number somebody else has by now. */
async function findDaemons(folder: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const { name } of await listOrNothing(folder)) {
    if (!name.endsWith(".pid")) continue;
    const pid = Number(await Deno.readTextFile(`${folder}/${name}`));
    const command = await readOrNothing(`/proc/${pid}/cmdline`);
    if (command.includes(folder.replace(/\/run$/, ""))) found.set(name.slice(0, -".pid".length), pid);
  }
  return found;
}

async function end(pid: number): Promise<void> {
  const deadline = Date.now() + STOP_WITHIN_MS;
  Deno.kill(pid, "SIGTERM");
  while (await readOrNothing(`/proc/${pid}/cmdline`) !== "") {
    if (Date.now() > deadline) Deno.kill(pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function listOrNothing(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function readOrNothing(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
