import { assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory_filesystem.ts";
import { assertDialogue, assertReplies, type Exchange, startTransfer } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { PROTECTIONS, TestServer } from "../helpers/test_server.ts";

const CONTENT = "0123456789";

async function start(protection: typeof PROTECTIONS[number] = "explicit") {
  const stack = new AsyncDisposableStack();
  const home = MemoryFileSystem.of({ "/a": CONTENT });
  const server = stack.use(await TestServer.start({ protection, home }));
  const client = stack.use(await server.login());
  await client.expect(200, "TYPE I");
  return { stack, client };
}

/** Fetches the rest behind REST. */
async function resume(client: RawClient, line: string): Promise<string> {
  return new TextDecoder().decode(await client.download(line));
}

async function upload(client: RawClient, line: string, text: string): Promise<void> {
  await using data = await startTransfer(client, line);
  await data.write(new TextEncoder().encode(text));
  await data.finish();
  await assertReplies(client, ["226 Transfer complete."]);
}

for (const protection of PROTECTIONS) {
  Deno.test(`REST makes RETR and STOR go on in the file: ${protection}`, async () => {
    const { stack, client } = await start(protection);
    await using _ = stack;
    await assertDialogue(client, [["REST 4", "350 Restarting at position 4."]]);
    assertEquals(await resume(client, "RETR /a"), "456789");
    assertEquals(await resume(client, "RETR /a"), CONTENT);
    await assertDialogue(client, [["REST 8", "350 Restarting at position 8."]]);
    await upload(client, "STOR /a", "abc");
    assertEquals(await resume(client, "RETR /a"), "01234567abc");
    await assertDialogue(client, [["REST 2", /^350 /]]);
    await upload(client, "STOR /a", "--");
    assertEquals(await resume(client, "RETR /a"), "01--4567abc");
  });
}

Deno.test("REST at the very end of the file sends nothing and appends", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  await client.expect(350, "REST 10");
  assertEquals(await resume(client, "RETR /a"), "");
  await client.expect(350, "REST 10");
  await upload(client, "STOR /a", "end");
  assertEquals(await resume(client, "RETR /a"), `${CONTENT}end`);
});

const SCRIPTS: Readonly<Record<string, readonly Exchange[]>> = {
  "REST replies 501 to what is no whole number, and in ASCII": [
    ["REST x", "501 Invalid parameter."],
    ["REST -1", "501 Invalid parameter."],
    ["REST 10.1", "501 Invalid parameter."],
    ["REST 1 2", "501 Invalid parameter."],
    ["REST 99999999999999999999", "501 Invalid parameter."],
    ["TYPE A", /^200 /],
    ["REST 1", "501 Resuming transfers not allowed in ASCII mode."],
  ],
  "REST 0 takes a marker back": [
    ["REST 5", /^350 /],
    ["REST 0", "350 Restarting at position 0."],
    ["APPE /b", "425 Can't open data connection: use PASV or EPSV first."],
  ],
  "RETR and STOR reply 554 to a marker behind the end, which uses it up": [
    ["EPSV", /^229 /],
    ["REST 11", /^350 /],
    ["RETR /a", "554 REST position (11) > file size (10)"],
    ["REST 11", /^350 /],
    ["STOR /a", "554 REST position (11) > file size (10)"],
    ["REST 11", /^350 /],
    ["RETR /nothing", "550 No such file or directory."],
    ["APPE /nowhere/b", "550 No such file or directory."],
  ],
  "STOR with a marker replies 550 when the file does not exist": [
    ["REST 5", /^350 /],
    ["STOR /b", "550 No such file or directory."],
    ["SIZE /b", "550 /b is not retrievable."],
  ],
  "APPE and STOU reply 450 while a marker is set, and leave it": [
    ["REST 4", /^350 /],
    ["APPE /a", "450 Can't APPE while REST request is pending."],
    ["STOU", "450 Can't STOU while REST request is pending."],
    ["NOOP", /^200 /],
    ["TYPE I", /^200 /],
    ["APPE /a", "450 Can't APPE while REST request is pending."],
  ],
};

for (const [name, exchanges] of Object.entries(SCRIPTS)) {
  Deno.test(name, async () => {
    const { stack, client } = await start();
    await using _ = stack;
    await assertDialogue(client, exchanges);
  });
}
