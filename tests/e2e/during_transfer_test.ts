import { assert, assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import {
  assertDialogue,
  assertReplies,
  type Exchange,
  MORE_THAN_KERNELS_HOLD,
  stallDownload,
  startTransfer,
} from "../helpers/dialogue.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

const LARGE = new Uint8Array(MORE_THAN_KERNELS_HOLD);

async function start(protection: typeof PROTECTIONS[number] = "explicit") {
  const stack = new AsyncDisposableStack();
  const home = MemoryFileSystem.of({ "/large": LARGE });
  const server = stack.use(await TestServer.start({ protection, home }));
  const client = stack.use(await server.login());
  await client.expect(200, "TYPE I");
  return { stack, server, client };
}

/** Commands that are answered while data flows, or would if the client read it. */
const ANSWERED: readonly Exchange[] = [
  ["NOOP", "200 I successfully did nothing."],
  [
    "STAT",
    /\n Data connection open:\n Total bytes sent: \d+\n Total bytes received: 0\n Transfer elapsed time: \d+\.\d secs\n211 End/,
  ],
  ["STAT /large", /^213-Status of "\/large":\n.* large\n213 End of status\.$/],
  ["PWD", '257 "/" is the current directory.'],
  ["TYPE A", "200 Type set to: ASCII."],
  ["MODE S", /^200 /],
  ["STRU F", /^200 /],
  ["ALLO 1", /^200 /],
  ["FEAT", /^211-/],
  ["HELP", /^214-/],
  ["SITE HELP", /^214-/],
  ["SYST", /^215 /],
  ["OPTS UTF8 ON", /^200 /],
  ["CLNT x", /^200 /],
  ["NONSENSE", /^500 /],
  ["RETR", "501 Syntax error: command needs an argument."],
];

for (const protection of PROTECTIONS) {
  Deno.test(`Replies come at once while a client does not read its download: ${protection}`, async () => {
    const { stack, client } = await start(protection);
    await using _ = stack;
    await using download = await stallDownload(client, "RETR /large");
    await assertDialogue(client, ANSWERED);
    download.release();
    assertEquals((await download.data.readAll()).length, LARGE.length);
    await assertReplies(client, ["226 Transfer complete."]);
  });
}

Deno.test("QUIT is answered at once, lets the transfer end, and its 226 comes", async () => {
  const { stack, client, server } = await start();
  await using _ = stack;
  await using download = await stallDownload(client, "RETR /large");
  await assertDialogue(client, [["QUIT", "221 Goodbye."]]);
  await client.send("NOOP\r\n");
  download.release();
  assertEquals((await download.data.readAll()).length, LARGE.length);
  await assertReplies(client, ["226 Transfer complete."]);
  assertEquals(await client.closed(), "end");
  assertEquals((await server.event("disconnected")).reason, "client quit");
});

Deno.test("QUIT lets an upload end, too", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  await using data = await startTransfer(client, "STOR /upload");
  await assertDialogue(client, [["QUIT", "221 Goodbye."]]);
  await data.write(new Uint8Array(100));
  await data.finish();
  await assertReplies(client, ["226 Transfer complete."]);
  assertEquals(await client.closed(), "end");
});

Deno.test("REIN and USER let the transfer end, and refuse the next until a login", async () => {
  for (const [line, code] of [["REIN", 230], ["USER user", 331]] as const) {
    const { stack, client } = await start();
    await using _ = stack;
    await using download = await stallDownload(client, "RETR /large");
    await client.expect(code, line);
    await client.expect(530, "LIST");
    download.release();
    assertEquals((await download.data.readAll()).length, LARGE.length);
    await assertReplies(client, ["226 Transfer complete."]);
    await client.login("user", "12345");
    await client.retrieve("/large");
  }
});

const BEGINNINGS = [
  ["download", "RETR /large", stallDownload],
  ["upload", "STOR /upload", startTransfer],
] as const;

for (const [name, line, begin] of BEGINNINGS) {
  Deno.test(`A client that leaves during its ${name} ends it, with one event and no error`, async () => {
    const { stack, client, server } = await start();
    await using _ = stack;
    await using _transfer = await begin(client, line);
    await client[Symbol.asyncDispose]();
    const { reason, command } = await server.event("transferIncomplete");
    assertEquals([reason, command], ["the control connection was closed", line.slice(0, 4)]);
    await server.event("disconnected");
    assert(!server.events.some(({ event }) => event === "fileSent" || event === "fileReceived"));
  });
}

Deno.test("A client that leaves while a command waits for its download ends it", async () => {
  const { stack, client, server } = await start();
  await using _ = stack;
  await using _download = await stallDownload(client, "RETR /large");
  await client.send("CWD /\r\n");
  await client[Symbol.asyncDispose]();
  await server.event("transferIncomplete");
  await server.event("disconnected");
});
