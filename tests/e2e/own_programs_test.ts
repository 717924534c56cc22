/** What a program gives the server, wrong in every way, ends in 451 and `internalError`, and hurts nobody else. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { DirectoryEntry, FileInfo, FileSystem, ReadableFile } from "../../lib/filesystem/filesystem.ts";
import type { Authorizer } from "../../lib/accounts/authorizer.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { RISK_IDS } from "../../lib/settings/risks.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import type { ServerEvent } from "../../lib/events.ts";
import { RawClient } from "../helpers/raw_client.ts";

/** What programs throw beside errors. */
const THROWN: readonly (readonly [name: string, value: unknown])[] = [
  ["a symbol", Symbol("thrown")],
  ["an object without a prototype", Object.create(null)],
  ["an object whose text fails", {
    toString() {
      throw new Error("no text");
    },
  }],
  ["undefined", undefined],
];

const FILE: FileInfo = { type: "file", size: 3 };

/** A file system of one file, whose methods are replaced by others. */
function fileSystemWith(methods: object): FileSystem {
  const files = MemoryFileSystem.of({ "/file": "abc" });
  return {
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    openRead: (path, options) => files.openRead(path, options),
    openWrite: (path, mode, options) => files.openWrite(path, mode, options),
    remove: (path) => files.remove(path),
    ...methods,
  };
}

/** A server in clear, its events, and a client that is connected. */
class Scene implements AsyncDisposable {
  readonly server: FtpServer;
  readonly client: RawClient;
  readonly events: ServerEvent[];

  private constructor(server: FtpServer, client: RawClient, events: ServerEvent[]) {
    this.server = server;
    this.client = client;
    this.events = events;
  }

  static async start(options: Partial<FtpServerOptions>): Promise<Scene> {
    const events: ServerEvent[] = [];
    const server = new FtpServer({
      authorizer: new VirtualAuthorizer(),
      acceptRisks: RISK_IDS,
      listen: [{ port: 0 }],
      tls: { policy: "off" },
      onEvent: (event) => void events.push(event),
      ...options,
    });
    await server.listen();
    const client = await RawClient.connect({ host: "127.0.0.1", port: server.addresses[0]?.port ?? 0 });
    return new Scene(server, client, events);
  }

  static async withFiles(methods: object): Promise<Scene> {
    const authorizer = new VirtualAuthorizer();
    authorizer.addUser("user", "12345", fileSystemWith(methods), { permissions: "elradfmwMT" });
    const scene = await Scene.start({ authorizer });
    await scene.client.readReply();
    await scene.client.login("user", "12345");
    await scene.client.expect(200, "TYPE I");
    return scene;
  }

  get internalErrors(): readonly string[] {
    return this.events.filter((event) => event.event === "internalError").map(({ message }) => message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    await this.server.shutdown();
  }
}

/** The reply behind the 150 of a download. */
async function download(client: RawClient, line: string): Promise<readonly [code: number, bytes: Uint8Array]> {
  await using data = await client.passive();
  await client.expect(150, line);
  const bytes = await data.readAll().catch(() => new Uint8Array());
  return [(await client.readReply(line)).code, bytes];
}

for (const [name, value] of THROWN) {
  Deno.test(`${name} that a file system, an authorizer or a rule throws is answered by 451`, async () => {
    const methods = {
      stat: () => Promise.reject(value),
      openRead(): never {
        throw value;
      },
    };
    await using scene = await Scene.withFiles(methods);
    await scene.client.expect(451, "SIZE /file");
    await using _data = await scene.client.passive();
    await scene.client.expect(451, "RETR /file");
    await scene.client.expect(200, "NOOP");
    assertEquals(scene.internalErrors.length, 2);

    const authorizer: Authorizer = {
      authenticate() {
        throw value;
      },
    };
    await using other = await Scene.start({ authorizer });
    await other.client.readReply();
    await other.client.expect(331, "USER a");
    await other.client.expect(451, "PASS b");
    await other.client.expect(200, "NOOP");
  });

  Deno.test(`${name} that refuseConnection or a handler of events throws ends nothing`, async () => {
    await using refused = await Scene.start({
      refuseConnection() {
        throw value;
      },
    });
    assertEquals((await refused.client.readReply()).code, 421);
    assertEquals(refused.internalErrors.length, 1);

    const fail = (): never => {
      throw value;
    };
    await using served = await Scene.start({
      onEvent: fail,
      on: { connected: fail, listening: () => Promise.reject(value), internalError: fail },
    });
    assertEquals((await served.client.readReply()).code, 220);
    await served.client.expect(200, "NOOP");
  });
}

/** A file whose reads give what they are told. */
function fileOf(...counts: readonly unknown[]): object {
  const rest = [...counts];
  const file = {
    size: 3,
    read: (buffer: Uint8Array) => {
      buffer.fill(0x61, 0, 3);
      return Promise.resolve(rest.shift() ?? 0);
    },
    close() {},
  };
  return { openRead: () => Promise.resolve(file as unknown as ReadableFile) };
}

Deno.test("0 from read() is the end, as in Node", async () => {
  await using scene = await Scene.withFiles(fileOf(3, 0));
  const [code, bytes] = await download(scene.client, "RETR /file");
  assertEquals([code, new TextDecoder().decode(bytes)], [226, "aaa"]);
  assertMatch((await scene.client.expect(213, "HASH /file")).text, /0-0/);
  assertEquals(scene.internalErrors, []);
});

for (const count of [-1, NaN, Infinity, 2 ** 40, 1.5, "3", undefined, {}]) {
  Deno.test(`A count of ${typeof count} ${String(count)} from read() is answered by 451`, async () => {
    await using scene = await Scene.withFiles({
      openRead: () => Promise.resolve({ size: 3, read: () => Promise.resolve(count), close() {} }),
    });
    assertEquals((await download(scene.client, "RETR /file"))[0], 451);
    await scene.client.expect(451, "HASH /file");
    assertEquals(scene.internalErrors.length, 2);
    await scene.client.expect(200, "NOOP");
  });
}

const BAD_NAMES = ["a\r\nb", "a\nb", "a\rb", "a\0b", "a/b", "", ".", "..", 5, null, undefined];

Deno.test("Names that cannot be in a listing are left out and reported", async () => {
  async function* list(): AsyncGenerator<DirectoryEntry> {
    for (const name of [...BAD_NAMES, "good"]) yield { name: name as string, info: FILE };
  }
  async function* listNames(): AsyncGenerator<string> {
    for (const name of [...BAD_NAMES, "good"]) yield name as string;
  }
  await using scene = await Scene.withFiles({ list, listNames });
  for (const verb of ["LIST", "MLSD", "NLST"]) {
    const [code, bytes] = await download(scene.client, verb);
    const lines = new TextDecoder().decode(bytes).split("\r\n");
    const shown = lines.filter((line) => line !== "" && !line.endsWith(" ."));
    assertEquals([code, shown.length, shown[0]?.endsWith("good")], [226, 1, true], verb);
  }
  assertEquals((await scene.client.command("STAT /")).lines.length, 3);
  assertEquals(scene.internalErrors.length, 4);
});

const BAD_SIZES = [NaN, -1, Infinity, 1e21, 1.5, "3", undefined];

Deno.test("A size that is none is answered by 451, and left out of listings", async () => {
  for (const size of BAD_SIZES) {
    const info = { type: "file", size: size as number } as const;
    await using scene = await Scene.withFiles({
      stat: (path: string) => Promise.resolve(path === "/" ? { type: "directory", size: 0 } : info),
      async *list() {
        yield { name: "bad", info };
        yield { name: "good", info: FILE };
      },
    });
    await scene.client.expect(451, "SIZE /file");
    await scene.client.expect(451, "MLST /file");
    const [code, bytes] = await download(scene.client, "LIST");
    assertEquals([code, /bad/.test(new TextDecoder().decode(bytes))], [226, false]);
    assertMatch(new TextDecoder().decode(bytes), /good/);
  }
});

Deno.test("Attributes that cannot be are left out of facts and lines", async () => {
  const odd = {
    ...FILE,
    modified: new Date(NaN),
    mode: -1,
    links: NaN,
    uid: "0;type=dir" as unknown as number,
    gid: 1e30,
    unique: "1;size=9; forged\r\n",
  };
  for (const modified of [new Date(NaN), new Date(8.64e15), new Date(-8.64e15), 5 as unknown as Date]) {
    await using scene = await Scene.withFiles({ stat: () => Promise.resolve({ ...odd, modified }) });
    const { lines } = await scene.client.expect(250, "MLST /file");
    assertEquals(lines.length, 3);
    assertMatch(lines[1] ?? "", /^ perm=[a-zA-Z]+;size=3;type=file; \/file$/);
    assertEquals((await scene.client.command("MDTM /file")).code, 550);
    assertEquals(scene.internalErrors, []);
  }
});

Deno.test("What opens as something that is no file is answered by 451", async () => {
  for (const file of [undefined, null, 5, {}, { size: NaN, read() {}, close() {} }]) {
    await using scene = await Scene.withFiles({ openRead: () => Promise.resolve(file), openWrite: () => file });
    await using _data = await scene.client.passive();
    await scene.client.expect(451, "RETR /file");
    await scene.client.expect(451, "STOR /file");
    await scene.client.expect(200, "NOOP");
  }
});

Deno.test("What an authorizer gives that is no account is answered by 451, and nobody is logged in", async () => {
  const account = { username: "a", permissions: "elr", loginMessage: "", quitMessage: "", hasPermission: () => true };
  const fileSystem = new MemoryFileSystem();
  const nonsense = [true, null, "alice", {}, account, { ...account, fileSystem: {} }, {
    ...account,
    fileSystem,
    loginMessage: 5,
  }];
  for (const answer of nonsense) {
    const authorizer = { authenticate: () => answer } as unknown as Authorizer;
    await using scene = await Scene.start({ authorizer });
    await scene.client.readReply();
    await scene.client.expect(331, "USER a");
    await scene.client.expect(451, "PASS b");
    await scene.client.expect(530, "PWD");
    assertEquals(scene.internalErrors.length, 1);
  }
});

Deno.test("Only true from hasPermission() is a right", async () => {
  const authorizer = {
    authenticate: () => ({
      username: "a",
      permissions: "elr",
      loginMessage: "in",
      quitMessage: "out",
      fileSystem: MemoryFileSystem.of({ "/file": "abc" }),
      hasPermission: () => "no",
    }),
  } as unknown as Authorizer;
  await using scene = await Scene.start({ authorizer });
  await scene.client.readReply();
  await scene.client.expect(331, "USER a");
  await scene.client.expect(230, "PASS b");
  await scene.client.expect(550, "CWD /");
});

Deno.test("SITE commands and rules that give no text are answered by 451", async () => {
  for (const answer of [undefined, null, 5, { code: 200 }, { code: 331, text: "x" }]) {
    const authorizer = new VirtualAuthorizer();
    authorizer.addUser("user", "12345", fileSystemWith({}));
    await using scene = await Scene.start({
      authorizer,
      commands: {
        site: [{ name: "X", permission: "l", help: "x", run: () => answer as unknown as string }],
        refuse: ({ command }) => command === "CWD" ? answer as unknown as string : undefined,
      },
    });
    await scene.client.readReply();
    await scene.client.login("user", "12345");
    await scene.client.expect(451, "SITE X");
    await scene.client.expect(answer === undefined ? 250 : 451, "CWD /");
    await scene.client.expect(200, "NOOP");
  }
});

Deno.test("A handler that waits for shutdown() lets it end", async () => {
  const scene: PromiseWithResolvers<Scene> = Promise.withResolvers();
  const done = Promise.withResolvers<void>();
  const started = await Scene.start({
    on: {
      async connected() {
        await (await scene.promise).server.shutdown();
        done.resolve();
      },
    },
  });
  scene.resolve(started);
  await done.promise;
  await started.server.finished;
  await started.client[Symbol.asyncDispose]();
});

Deno.test("A handler that never ends lets shutdown() end", async () => {
  const scene = await Scene.start({ on: { connected: () => new Promise(() => {}) } });
  assertEquals((await scene.client.readReply()).code, 220);
  await scene.server.shutdown();
  await scene.client[Symbol.asyncDispose]();
  await scene.server.finished;
});

Deno.test("A handler of listening that waits for listen() is refused and disturbs nobody", async () => {
  const outcomes: string[] = [];
  let server: FtpServer | undefined = undefined;
  const own = server = new FtpServer({
    authorizer: new VirtualAuthorizer(),
    listen: [{ port: 0 }],
    on: {
      async listening() {
        await (server as FtpServer | undefined)?.listen().catch((error) => outcomes.push(error.name));
      },
    },
  });
  await own.listen();
  await own.shutdown();
  await own.finished;
  assertEquals(outcomes, ["TypeError"]);
});

for (const tls of ["explicit", "implicit"] as const) {
  Deno.test(`disconnect() from the handler of connected is the last word, ${tls}`, async () => {
    const server: FtpServer = new FtpServer({
      authorizer: new VirtualAuthorizer(),
      listen: [{ port: 0, tls }],
      on: { connected: ({ session }) => void server.disconnect(session) },
    });
    await server.listen();
    const port = server.addresses[0]?.port ?? 0;
    await using client = await RawClient.connect({ host: "127.0.0.1", port });
    if (tls === "explicit") assertEquals((await client.readReply()).code, 421);
    await client.closed();
    await server.shutdown();
  });
}

Deno.test("disconnect() from the handler of loginSucceeded is the last word", async () => {
  const authorizer = new VirtualAuthorizer();
  authorizer.addUser("user", "12345", new MemoryFileSystem());
  const servers: FtpServer[] = [];
  await using scene = await Scene.start({
    authorizer,
    on: { loginSucceeded: ({ session }) => void servers[0]?.disconnect(session) },
  });
  servers.push(scene.server);
  await scene.client.readReply();
  await scene.client.expect(331, "USER user");
  await scene.client.send("PASS 12345\r\nMKD a\r\n");
  assertEquals((await scene.client.readReply()).code, 421);
  await scene.client.closed();
});

Deno.test("A signal that has aborted before listen() settles finished", async () => {
  const authorizer = new VirtualAuthorizer();
  const server = new FtpServer({ authorizer, listen: [{ port: 0 }], signal: AbortSignal.abort(new Error("early")) });
  await assertRejects(() => server.listen(), Error, "early");
  await server.finished;
  assertEquals(server.addresses, []);

  const abort = new AbortController();
  const other = new FtpServer({ authorizer, listen: [{ port: 0 }], signal: abort.signal });
  abort.abort(new Error("before"));
  await other.finished;
  await assertRejects(() => other.listen(), Error, "before");
  assert(other.sessions.length === 0);
});
