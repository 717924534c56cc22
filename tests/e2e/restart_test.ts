import { assert, assertEquals } from "@std/assert";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { assertDialogue, assertReplies, type Exchange, startTransfer } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { PROTECTIONS, TestServer, USER } from "../helpers/test_server.ts";

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

/** Transfer commands that are refused, at one point or another. */
const REFUSED: readonly string[] = [
  "RETR",
  "RETR /missing",
  "RETR /a\0",
  "RETR /private/a",
  "RETR /directory",
  "STOR",
  "STOR /private/a",
  "STOR /missing/a",
  "APPE /a",
  "STOU",
  "LIST /missing",
  "NLST /missing",
  "MLSD /a",
  "REST x",
];

for (const refused of REFUSED) {
  Deno.test(`REST is used up by a transfer command that is refused: "${refused}"`, async () => {
    const home = MemoryFileSystem.of({ "/a": CONTENT, "/private/a": CONTENT, "/directory/a": CONTENT });
    const authorizer = new VirtualAuthorizer();
    authorizer.addUser(USER.name, USER.password, home, { permissions: "elradfmwMT" });
    authorizer.overridePermissions(USER.name, "/private", "el", { recursive: true });
    await using server = await TestServer.start({ server: { authorizer } });
    await using client = await server.login();
    await client.expect(200, "TYPE I");
    await client.expect(350, "REST 4");
    const { code } = await client.command(refused);
    assert(code >= 400, `${code}`);
    assertEquals(await resume(client, "RETR /a"), CONTENT);
    await client.expect(350, "REST 4");
    assert((await client.command(refused)).code >= 400);
    await upload(client, "STOR /a", "abc");
    assertEquals(await resume(client, "RETR /a"), "abc");
  });
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
  "APPE and STOU reply 450 while a marker is set, which uses it up": [
    ["REST 4", /^350 /],
    ["APPE /a", "450 Can't APPE while REST request is pending."],
    ["APPE /a", "425 Can't open data connection: use PASV or EPSV first."],
    ["REST 4", /^350 /],
    ["NOOP", /^200 /],
    ["TYPE I", /^200 /],
    ["STOU", "450 Can't STOU while REST request is pending."],
    ["APPE /a", "425 Can't open data connection: use PASV or EPSV first."],
  ],
  "REST 0 is understood in ASCII, and takes a marker back": [
    ["REST 4", /^350 /],
    ["TYPE A", /^200 /],
    ["REST 0", "350 Restarting at position 0."],
    ["APPE /a", "425 Can't open data connection: use PASV or EPSV first."],
  ],
  "A refused RNFR or RNTO takes back what was to be renamed": [
    ["RNFR /a", /^350 /],
    ["RNTO", "501 Syntax error: command needs an argument."],
    ["RNTO /b", "503 Bad sequence of commands: use RNFR first."],
    ["RNFR /a", /^350 /],
    ["RNFR /missing", /^550 /],
    ["RNTO /b", "503 Bad sequence of commands: use RNFR first."],
    ["RNFR /a", /^350 /],
    ["RNTO /b\0", /^501 /],
    ["RNTO /b", "503 Bad sequence of commands: use RNFR first."],
    ["SIZE /a", "213 10"],
  ],
};

for (const [name, exchanges] of Object.entries(SCRIPTS)) {
  Deno.test(name, async () => {
    const { stack, client } = await start();
    await using _ = stack;
    await assertDialogue(client, exchanges);
  });
}
