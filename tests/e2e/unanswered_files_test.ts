import { assert, assertEquals } from "@std/assert";
import { delay } from "../../lib/deadline.ts";
import { MuteFileSystem, type MuteMethod } from "../helpers/mute_filesystem.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import type { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { TestServer } from "../helpers/test_server.ts";

/** A command during which a method never answers. */
interface Case {
  readonly method: MuteMethod;
  readonly line: string;
  /** Sent before it. */
  readonly before?: string;
  /** Which way its data connection goes; absent: it has none, and is no transfer. */
  readonly data?: "send" | "receive";
  /** Whether it runs beside the dialogue without one. */
  readonly isLong?: true;
}

const CASES: readonly Case[] = [
  { method: "stat", line: "CWD /dir" },
  { method: "stat", line: "SIZE /file" },
  { method: "stat", line: "MDTM /file" },
  { method: "stat", line: "MLST /file" },
  { method: "stat", line: "STAT /dir" },
  { method: "stat", line: "RNFR /file" },
  { method: "stat", line: "LIST /dir", data: "send" },
  { method: "stat", line: "MLSD /dir", data: "send" },
  { method: "stat", line: "NLST /dir", data: "send" },
  { method: "list", line: "STAT /dir" },
  { method: "list", line: "LIST /dir", data: "send" },
  { method: "list", line: "MLSD /dir", data: "send" },
  { method: "listNames", line: "NLST /dir", data: "send" },
  { method: "openRead", line: "RETR /file", data: "send" },
  { method: "openRead", line: "HASH /file", isLong: true },
  { method: "read", line: "RETR /file", data: "send" },
  { method: "read", line: "HASH /file", isLong: true },
  { method: "close", line: "RETR /dir/entry", data: "send" },
  { method: "close", line: "HASH /file", isLong: true },
  { method: "openWrite", line: "STOR /new", data: "receive" },
  { method: "openWrite", line: "APPE /file", data: "receive" },
  { method: "openWrite", line: "STOU", data: "receive" },
  { method: "write", line: "STOR /new", data: "receive" },
  { method: "finish", line: "STOR /new", data: "receive" },
  { method: "close", line: "STOR /new", data: "receive" },
  { method: "remove", line: "DELE /file" },
  { method: "makeDirectory", line: "MKD /new" },
  { method: "removeDirectory", line: "RMD /dir" },
  { method: "rename", line: "RNTO /new", before: "RNFR /file" },
  { method: "setModified", line: "MFMT 20200101000000 /file" },
  { method: "setModified", line: "SITE UTIME 20200101000000 /file" },
  { method: "setMode", line: "SITE CHMOD 600 /file" },
  { method: "availableBytes", line: "AVBL /" },
];

/** A session whose command waits for what never comes. */
interface Stuck extends Omit<Case, "data"> {
  readonly home: MuteFileSystem;
  readonly server: TestServer;
  readonly client: RawClient;
  readonly data: RawDataConnection | undefined;
  /** Settles when the server has ended an upload's connection. */
  readonly ended: Promise<void>;
}

const { signal } = new AbortController();
const UPLOAD = new Uint8Array(10_000);

async function begin(server: TestServer, home: MuteFileSystem, what: Case): Promise<Stuck> {
  const client = await server.login();
  await client.expect(200, "TYPE I");
  if (what.before !== undefined) await client.command(what.before);
  const data = what.data === undefined ? undefined : await client.passive();
  await client.send(`${what.line}\r\n`);
  // What is mute before the 150 has no connection to send to yet; the upload waits in the socket.
  const ended = what.data === "receive" && data !== undefined ? upload(data) : Promise.resolve();
  await home.called;
  return { ...what, home, server, client, data, ended };
}

async function upload(data: RawDataConnection): Promise<void> {
  try {
    await data.write(UPLOAD);
    await data.finish();
  } catch {
    // Cut by the server, as it may be
  }
}

/** Runs a test on all commands, with a server each, at once. */
async function onEach(body: (stuck: Stuck) => Promise<void>, timeouts = {}): Promise<void> {
  const failures: string[] = [];
  await Promise.all(CASES.map(async (what) => {
    try {
      await onOne(what, body, timeouts);
    } catch (error) {
      failures.push(`${what.method}() in ${what.line}: ${error}`);
    }
  }));
  assertEquals(failures, []);
}

async function onOne(what: Case, body: (stuck: Stuck) => Promise<void>, timeouts: object): Promise<void> {
  const home = new MuteFileSystem(what.method);
  await using server = await TestServer.start({ home: home.fileSystem, protection: "clear", server: { timeouts } });
  const stuck = await begin(server, home, what);
  await using _client = stuck.client;
  await body(stuck);
  await stuck.data?.[Symbol.asyncDispose]();
  await stuck.ended;
}

/** The reply behind the 150, if there is one. */
async function finalReply(client: RawClient, what: string): Promise<number> {
  const { code } = await client.readReply(what);
  return code === 150 ? await finalReply(client, what) : code;
}

function assertAborted({ home, method }: Stuck): void {
  if (method !== "close") assertEquals(home.signals.map(({ aborted }) => aborted), [true]);
}

/** What opens late is closed, and what settles late disturbs nobody. */
async function assertReleased(stuck: Stuck): Promise<void> {
  stuck.home.release();
  await until(() => stuck.home.closed === stuck.home.opened, "every file that was opened to be closed");
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (isSo()) return;
    await delay(10, signal);
  }
  throw new Error(`Waited in vain for ${what}`);
}

async function assertFreed({ server }: Stuck): Promise<void> {
  await server.event("disconnected");
  await until(() => server.server.sessions.length === 0, "the session to be freed");
}

Deno.test("ABOR is answered, and the session goes on, whatever method of a file system never answers", async () => {
  await onEach(async (stuck) => {
    const { client, data, isLong, method } = stuck;
    await client.send("ABOR\r\n");
    const isTransfer = data !== undefined || isLong === true;
    const expected = !isTransfer ? [451, 225] : [method === "close" ? (isLong ? 213 : 226) : 426, 226];
    assertEquals([await finalReply(client, "the command"), (await client.readReply("ABOR")).code], expected);
    assertAborted(stuck);
    await client.expect(200, "NOOP");
    await assertReleased(stuck);
    await client.expect(200, "NOOP");
  });
});

Deno.test("A client that is cut off frees its session, whatever method of a file system never answers", async () => {
  await onEach(async (stuck) => {
    await stuck.client.reset();
    await assertFreed(stuck);
    assertAborted(stuck);
    await assertReleased(stuck);
  });
});

Deno.test("disconnect() frees a session, whatever method of a file system never answers", async () => {
  await onEach(async (stuck) => {
    const [session] = stuck.server.server.sessions;
    assert(session !== undefined && stuck.server.server.disconnect(session.session));
    await stuck.client.closed();
    await assertFreed(stuck);
    assertAborted(stuck);
    await assertReleased(stuck);
  });
});

Deno.test("shutdown() at once ends, whatever method of a file system never answers, and then fails", async () => {
  await onEach(async (stuck) => {
    await stuck.server.server.shutdown({ graceMs: 0 });
    assertEquals(stuck.server.server.sessions, []);
    assertAborted(stuck);
    if (stuck.method !== "close") stuck.home.fail(new Error("late"));
  });
});

Deno.test("A deadline ends the session, whatever method of a file system never answers, and then fails", async () => {
  await onEach(async (stuck) => {
    const code = await finalReply(stuck.client, "the deadline");
    // A file that does not close has been sent, stored or hashed all the same.
    const isDone = stuck.method === "close";
    if (!isDone) assertEquals(code, 421);
    else assert(code === 226 || code === 213, `${code}`);
    await stuck.client.closed();
    assertAborted(stuck);
    if (!isDone) stuck.home.fail(new Error("late"));
  }, { data: 0.5, idle: 1 });
});
