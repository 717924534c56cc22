/**
 * What clients do in a soak, well-behaved ones and others.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { MeasuredServer } from "../helpers/measured_server.ts";
import { RawClient } from "../helpers/raw_client.ts";
import type { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { USER } from "../helpers/test_server.ts";
import type { Random } from "./random.ts";

const HOST = "127.0.0.1";
const DEADLINE_MS = 60_000;
/** Entries of the folder `/many`. */
export const MANY = 500;
/** Bytes of the file `/large`, more than the kernels hold. */
export const LARGE_BYTES = 16 * 1024 * 1024;
const MAX_UPLOAD_BYTES = 1024 * 1024;

/** A client from its coming to its going. */
type Visit = (client: RawClient, random: Random) => Promise<void>;

const VISITS: Readonly<Record<string, Visit>> = {
  "failed login": failLogin,
  command: ask,
  listing: list,
  "upload and download": moveFile,
  abort: abortTransfer,
  "upload cut off": killUpload,
  "download cut off": killDownload,
  "passive port unused": leavePortOpen,
};

/** Lets one client do something at random; tells what. */
export async function visit(server: MeasuredServer, random: Random): Promise<string> {
  const name = random.pick(Object.keys(VISITS));
  await using client = await connect(server, random);
  await VISITS[name]?.(client, random);
  return name;
}

/** Explicit and implicit TLS, and in clear. */
async function connect({ port, implicitPort }: MeasuredServer, random: Random): Promise<RawClient> {
  const kind = random.below(3);
  const options = { host: HOST, deadlineMs: DEADLINE_MS, port: kind === 0 ? implicitPort : port };
  const client = await RawClient.connect({ ...options, ...kind === 0 ? { tls: "implicit" } : {} });
  await client.readReply("connecting");
  if (kind === 1) await client.startTls();
  return client;
}

async function login(client: RawClient): Promise<void> {
  await client.login(USER.name, USER.password);
  await client.expect(200, "TYPE I");
}

async function quit(client: RawClient): Promise<void> {
  await client.expect(221, "QUIT");
  await client.closed();
}

async function failLogin(client: RawClient): Promise<void> {
  await client.expect(331, "USER nobody");
  await client.expect(530, "PASS wrong");
}

async function ask(client: RawClient): Promise<void> {
  await login(client);
  for (const [code, line] of [[257, "PWD"], [211, "FEAT"], [250, "MLST /large"], [550, "CWD /none"]] as const) {
    await client.expect(code, line);
  }
  await quit(client);
}

async function list(client: RawClient, random: Random): Promise<void> {
  await login(client);
  const command = random.pick(["LIST", "NLST", "MLSD"]);
  // MLSD lists the directory itself, too.
  const entries = command === "MLSD" ? MANY + 1 : MANY;
  assertEquals((await client.list(`${command} /many`)).trimEnd().split("\r\n").length, entries);
  await quit(client);
}

async function moveFile(client: RawClient, random: Random): Promise<void> {
  await login(client);
  const content = new Uint8Array(random.below(MAX_UPLOAD_BYTES)).fill(random.below(256));
  const path = `/upload-${crypto.randomUUID()}`;
  await client.store(path, content);
  assertEquals(await client.retrieve(path), content);
  await client.expect(250, `DELE ${path}`);
  await quit(client);
}

async function abortTransfer(client: RawClient, random: Random): Promise<void> {
  await login(client);
  await using data = await begin(client, random.pick(["RETR /large", `STOR /abort-${crypto.randomUUID()}`]));
  if (random.oneIn(2)) await data.secure();
  await client.send("ABOR\r\n");
  const codes = [(await client.readReply("ABOR")).code, (await client.readReply("ABOR")).code];
  assertEquals(codes, [426, 226]);
  await client.expect(200, "NOOP");
}

async function killUpload(client: RawClient, random: Random): Promise<void> {
  await login(client);
  await using data = await begin(client, `STOR /cut-${crypto.randomUUID()}`);
  await data.secure();
  await data.write(random.bytes(1000));
  if (random.oneIn(2)) await Promise.all([data.reset(), client.reset()]);
}

async function killDownload(client: RawClient, random: Random): Promise<void> {
  await login(client);
  await using data = await begin(client, random.pick(["RETR /large", "MLSD /many"]));
  if (random.oneIn(2)) await data.secure();
  if (random.oneIn(2)) await client.reset();
}

async function leavePortOpen(client: RawClient, random: Random): Promise<void> {
  await login(client);
  await client.expect(229, "EPSV");
  if (random.oneIn(2)) await client.expect(229, "EPSV");
  if (random.oneIn(2)) await client.reset();
}

/** EPSV, TCP and 150. */
async function begin(client: RawClient, line: string): Promise<RawDataConnection> {
  await using stack = new AsyncDisposableStack();
  const data = stack.use(await client.passive());
  await client.expect(150, line);
  stack.move();
  return data;
}
