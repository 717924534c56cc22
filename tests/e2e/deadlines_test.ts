import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { DirectoryEntry, ReadableFile } from "../../lib/filesystem/filesystem.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import {
  assertDialogue,
  assertReplies,
  MORE_THAN_KERNELS_HOLD,
  stallDownload,
  startTransfer,
} from "../helpers/dialogue.ts";
import { tryAtOnce } from "../helpers/at_once.ts";
import { DeafClient } from "../helpers/deaf_client.ts";
import { RawClient } from "../helpers/raw_client.ts";
import type { RawDataConnection } from "../helpers/raw_data_connection.ts";
import { type Protection, PROTECTIONS, TestServer, type TestServerOptions } from "../helpers/test_server.ts";

const IDLE = "421 Control connection timed out.";

function start(
  timeouts: NonNullable<FtpServerOptions["timeouts"]>,
  options: TestServerOptions = {},
): Promise<TestServer> {
  const home = MemoryFileSystem.of({ "/large": new Uint8Array(MORE_THAN_KERNELS_HOLD) });
  return TestServer.start({ home, ...options, server: { timeouts } });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

Deno.test("A silent session is closed with 421 after the idle time", async () => {
  await using server = await start({ idle: 0.2 });
  await using client = await server.login();
  const startedAt = performance.now();
  await assertReplies(client, [IDLE]);
  assertGreaterOrEqual(performance.now() - startedAt, 190);
  assertEquals(await client.closed(), "end");
  assertEquals((await server.event("disconnected")).reason, "Control connection timed out.");
});

Deno.test("Commands let the idle time begin anew, an open passive port does not", async () => {
  await using server = await start({ idle: 0.5 });
  await using client = await server.login();
  for (let count = 0; count < 4; count++) {
    await wait(150);
    await client.expect(229, "EPSV");
  }
  await assertReplies(client, [IDLE]);
});

for (const [name, begin] of [["upload", startTransfer], ["download", stallDownload]] as const) {
  Deno.test(`The idle time is suspended while a ${name} is under way, and runs again after it`, async () => {
    await using server = await start({ idle: 0.3 });
    await using client = await server.login();
    await using _transfer = await begin(client, name === "upload" ? "STOR /upload" : "RETR /large");
    await wait(700);
    assertEquals(client.pending.length, 0);
    await client.send("ABOR\r\n");
    await assertReplies(client, [/^426 /, /^226 /, IDLE]);
  });
}

Deno.test("A client that takes no replies is dropped after the idle time, also during a transfer", async () => {
  for (const isTransferring of [false, true]) {
    await using server = await start({ idle: 0.3, data: 0.3 }, { protection: "clear" });
    await using deaf = await DeafClient.connect(server);
    if (isTransferring) await deaf.client.expect(229, "EPSV");
    if (isTransferring) await deaf.client.expect(150, "STOR /upload");
    await deaf.flood();
    assertEquals((await server.event("disconnected")).reason, "Control connection timed out.");
  }
});

Deno.test("A client that does not log in is closed with 421 after the login time, whatever else it says", async () => {
  await using server = await start({ login: 0.4 });
  await using client = await server.connect();
  for (let count = 0; count < 3; count++) {
    await wait(80);
    await client.expect(200, "NOOP");
  }
  await client.expect(331, "USER user");
  await assertReplies(client, ["421 Login timed out."]);
  assertEquals(await client.closed(), "end");
});

Deno.test("The login time ends with the login", async () => {
  await using server = await start({ login: 0.2 });
  await using client = await server.login();
  await client.expect(230, "REIN");
  await wait(400);
  await assertDialogue(client, [["NOOP", /^200 /]]);
});

for (const [line, begin] of [["STOR /upload", startTransfer], ["RETR /large", stallDownload]] as const) {
  Deno.test(`A transfer without a byte in the data time gets 421, and both connections end: ${line}`, async () => {
    await using server = await start({ data: 0.2 });
    await using client = await server.login();
    await using _transfer = await begin(client, line);
    await assertReplies(client, ["421 Data connection timed out."]);
    assertEquals(await client.closed(), "end");
    assertEquals((await server.event("transferIncomplete")).reason, "no byte moved in time");
  });
}

Deno.test("A data connection without a transfer gets 421 after the data time, and no idle time runs meanwhile", async () => {
  await using server = await start({ data: 0.5, idle: 0.2 });
  await using client = await server.login();
  await using _data = await client.passive();
  await assertReplies(client, ["421 Data connection timed out."]);
  assertEquals(await client.closed(), "end");
});

/** What a client does with a data connection for which it has no use any more. */
const GIVING_UP: Readonly<Record<string, (data: RawDataConnection) => unknown>> = {
  "closes": (data) => data[Symbol.asyncDispose](),
  "resets": (data) => data.reset(),
  "keeps": () => {},
};

for (const [name, giveUp] of Object.entries(GIVING_UP)) {
  Deno.test(`A client that ${name} its data connection after a refusal goes on`, async () => {
    await tryAtOnce(PROTECTIONS, async (protection) => {
      await using server = await start({ data: 0.5, idle: 60 }, { protection });
      await using client = await server.login();
      await using data = await client.passive();
      await client.expect(550, "RETR /missing");
      await giveUp(data);
      while (!(await client.expect(211, "STAT")).text.includes("Data connection closed.")) await wait(100);
      await client.expect(425, "RETR /large");
    });
  });
}

Deno.test("A client that closes a data connection without a command goes on", async () => {
  await tryAtOnce(PROTECTIONS, async (protection) => {
    await using server = await start({ data: 0.5, idle: 60 }, { protection });
    await using client = await server.login();
    const data = await client.passive();
    await data[Symbol.asyncDispose]();
    while (!(await client.expect(211, "STAT")).text.includes("Data connection closed.")) await wait(100);
  });
});

Deno.test("A data connection that waits keeps no session for ever", async () => {
  await tryAtOnce(PROTECTIONS, async (protection) => {
    await using server = await start({ data: 0, idle: 0.3 }, { protection });
    await using client = await server.login();
    await using _data = await client.passive();
    await assertReplies(client, [IDLE]);
  });
});

Deno.test("The idle time runs for a session whose client has closed its data connection", async () => {
  await using server = await start({ data: 2, idle: 0.3 }, { protection: "clear" });
  await using client = await server.login();
  const data = await client.passive();
  await data[Symbol.asyncDispose]();
  await assertReplies(client, [IDLE]);
});

/** Files that are read, and folders that are listed, slowly. */
class SlowFileSystem extends MemoryFileSystem {
  override async openRead(...args: Parameters<MemoryFileSystem["openRead"]>): Promise<ReadableFile> {
    const file = await super.openRead(...args);
    return {
      size: file.size,
      read: async (buffer, options) => {
        await wait(100);
        return await file.read(buffer.subarray(0, 10), options);
      },
      close: () => file.close(),
    };
  }

  override async *list(...args: Parameters<MemoryFileSystem["list"]>): AsyncGenerator<DirectoryEntry, void, undefined> {
    for await (const entry of super.list(...args)) {
      await wait(100);
      yield entry;
    }
  }
}

Deno.test("A data connection may wait while a command takes long", async () => {
  await tryAtOnce(["HASH /0", "LIST /"], async (line) => {
    const home = new SlowFileSystem();
    for (let number = 0; number < 20; number++) {
      const file = await home.openWrite(`/${number}`, "truncate");
      await file.write(new Uint8Array(200), { signal: new AbortController().signal });
      await file.close();
    }
    await using server = await start({ data: 1, idle: 60 }, { home, protection: "clear" });
    await using client = await server.login();
    await using _data = await client.passive();
    await client.send(`${line}\r\n`);
    await assertReplies(client, [line === "HASH /0" ? /^213 / : /^150 /]);
  });
});

for (const parts of [["early ", "late"], ["all of it"], []]) {
  Deno.test(`What a client sends long before its STOR is stored: ${parts.length} parts`, async () => {
    await tryAtOnce(PROTECTIONS, async (protection) => {
      const home = new MemoryFileSystem();
      await using server = await start({ data: 60 }, { home, protection });
      await using client = await server.login();
      await client.expect(200, "TYPE I");
      await using data = await client.passive();
      await data.secure(); // a handshake is answered before the command
      const [first, ...rest] = parts.map((part) => new TextEncoder().encode(part));
      if (first !== undefined) await data.write(first);
      const finished = rest.length === 0 ? data.finish() : undefined;
      await wait(1500); // the server looks for an end by then
      await client.expect(150, "STOR /file");
      for (const part of rest) await data.write(part);
      await (finished ?? data.finish());
      await assertReplies(client, ["226 Transfer complete."]);
      assertEquals((await home.stat("/file")).size, parts.join("").length);
    });
  });
}

Deno.test("The idle time runs again once the data connection is closed", async () => {
  await using server = await start({ data: 5, idle: 0.2 });
  await using client = await server.login();
  await using _data = await client.passive();
  await wait(400);
  await assertDialogue(client, [["ABOR", "225 ABOR command successful; data channel closed."]]);
  await assertReplies(client, ["421 Control connection timed out."]);
});

Deno.test("A transfer may take longer than the data time while bytes move", async () => {
  await using server = await start({ data: 0.4 });
  await using client = await server.login();
  await using data = await startTransfer(client, "STOR /upload");
  for (let count = 0; count < 6; count++) {
    await wait(120);
    await data.write(new Uint8Array(10));
  }
  await data.finish();
  await assertReplies(client, ["226 Transfer complete."]);
});

Deno.test("A client that reads slowly is not cut: the system tells late of what it takes", async () => {
  await using server = await start({ data: 1 }, { protection: "clear" });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  const port = Number(/\|\|\|(\d+)\|/.exec((await client.expect(229, "EPSV")).text)?.[1]);
  using data = await Deno.connect({ hostname: server.host, port });
  await client.expect(150, "RETR /large");
  const buffer = new Uint8Array(30_000);
  for (const startedAt = performance.now(); performance.now() - startedAt < 3000;) {
    await data.read(buffer);
    await wait(25);
  }
  assertEquals(client.pending.length, 0);
  await client.send("ABOR\r\n");
  await assertReplies(client, [/^426 /, /^226 /]);
});

Deno.test("A transfer to whose port nobody connects gets 425 after the passive time", async () => {
  await using server = await start({ passive: 0.2 });
  await using client = await server.login();
  await client.expect(229, "EPSV");
  await client.expect(150, "RETR /large");
  await assertReplies(client, ["425 Passive data channel timed out."]);
  await client.expect(229, "EPSV");
  await wait(400);
  await assertDialogue(client, [["RETR /large", "425 Can't open data connection: use PASV or EPSV first."]]);
});

Deno.test("A data connection without handshake gets 425 after the handshake time", async () => {
  await using server = await start({ handshake: 0.3 });
  await using client = await server.login();
  await using data = await client.passive();
  await client.expect(150, "RETR /large");
  await assertReplies(client, ["425 Can't open data connection: TLS handshake failed."]);
  await data.ended();
  await assertDialogue(client, [["NOOP", /^200 /]]);
});

for (const protection of ["explicit", "implicit"] satisfies Protection[]) {
  Deno.test(`A control connection without handshake is dropped after the handshake time: ${protection}`, async () => {
    await using server = await start({ handshake: 0.2 }, { protection });
    await using client = await RawClient.connect({ host: server.host, port: server.port });
    if (protection === "explicit") {
      await client.readReply();
      await client.expect(234, "AUTH TLS");
    }
    await client.closed();
    assertEquals((await server.event("disconnected")).reason, "TLS handshake timed out");
  });
}

Deno.test("A time of 0 never ends", async () => {
  await using server = await start({ idle: 0, login: 0, data: 0, passive: 0, handshake: 0 });
  await using client = await server.connect();
  const startedAt = performance.now();
  await wait(300);
  await client.login("user", "12345");
  await using data = await startTransfer(client, "STOR /upload");
  await wait(300);
  await data.finish();
  await assertReplies(client, ["226 Transfer complete."]);
  assertLess(performance.now() - startedAt, 10_000);
});
