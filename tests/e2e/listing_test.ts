import { assertEquals, assertMatch } from "@std/assert";
import type { DirectoryEntry } from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { assertDialogue } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TestServer } from "../helpers/test_server.ts";

const OLD = new Date("2001-02-03T04:05:06Z");
const RECENT = new Date(Date.now() - 24 * 60 * 60 * 1000);

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A tree with names out of order, and known times and modes. */
async function makeHome(): Promise<MemoryFileSystem> {
  const home = MemoryFileSystem.of({ "/b.txt": "12345", "/a b.bin": "x", "/dir/deep/c": "", "/dir/-1": "1" });
  await home.setModified("/b.txt", OLD);
  await home.setMode("/b.txt", 0o640);
  await home.setModified("/a b.bin", RECENT);
  for (const path of ["/dir", "/dir/deep", "/dir/-1"]) await home.setModified(path, OLD);
  return home;
}

async function start(options: { readonly username?: string; readonly times?: "utc" | "local" } = {}) {
  const { username = "user", times = "utc" } = options;
  const stack = new AsyncDisposableStack();
  const server = stack.use(await TestServer.start({ home: await makeHome(), server: { times } }));
  return { stack, client: stack.use(await server.login({ username })) };
}

const RECENT_TEXT = `${MONTHS[RECENT.getUTCMonth()]} ${RECENT.toISOString().slice(8, 10)} ` +
  RECENT.toISOString().slice(11, 16);

const LINES = {
  a: `-rw-r--r--   1 ftp      ftp             1 ${RECENT_TEXT} a b.bin\r\n`,
  b: "-rw-r-----   1 ftp      ftp             5 Feb 03  2001 b.txt\r\n",
  dir: "drwxr-xr-x   1 ftp      ftp             0 Feb 03  2001 dir\r\n",
};

interface Listing {
  readonly line: string;
  readonly text: string;
}

const LISTINGS: readonly Listing[] = [
  ...["LIST", "LIST /", "LIST -a", "LIST -la", "LIST -aL", "LIST -1 /", "LIST ."]
    .map((line) => ({ line, text: LINES.a + LINES.b + LINES.dir })),
  { line: "LIST b.txt", text: LINES.b },
  { line: "LIST /dir/../a b.bin", text: LINES.a },
  { line: "LIST -l dir/deep", text: "-rw-r--r--   1 ftp      ftp             0 TIME c\r\n" },
  {
    line: "LIST dir/-1",
    text: LINES.b.replace("b.txt", "-1").replace("rw-r-----", "rw-r--r--").replace("5 Feb", "1 Feb"),
  },
  { line: "NLST", text: "a b.bin\r\nb.txt\r\ndir\r\n" },
  { line: "NLST -la", text: "a b.bin\r\nb.txt\r\ndir\r\n" },
  { line: "NLST dir", text: "-1\r\ndeep\r\n" },
  { line: "NLST dir/deep/c", text: "dir/deep/c\r\n" },
];

Deno.test("LIST and NLST show a directory sorted by name, or one file", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  for (const { line, text } of LISTINGS) {
    const listed = (await client.list(line)).replace(/ \w{3} \d\d \d\d:\d\d c\r/, " TIME c\r");
    assertEquals(listed, text, line);
  }
});

Deno.test("LIST and NLST of an empty directory send nothing, MLSD the directory itself", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  for (const line of ["LIST", "NLST"]) assertEquals(await client.list(line), "");
  assertMatch(await client.list("MLSD"), /^\S*;type=cdir;\S* \.\r\n$/);
});

Deno.test("MLSD shows the directory first, with the facts that MLST shows of it, unless its type was not asked for", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  const { lines } = await client.command("MLST dir");
  const facts = (lines[1] ?? "").trim().split(" ")[0]?.replace("type=dir", "type=cdir");
  assertEquals((await client.list("MLSD dir")).split("\r\n")[0], `${facts} .`);
  await client.expect(200, "OPTS MLST size;");
  assertEquals((await client.list("MLSD dir")).split("\r\n").sort(), ["", "size=0; deep", "size=1; -1"]);
});

Deno.test("LIST shows local times where that is asked for, facts stay in UTC", async () => {
  const { stack, client } = await start({ times: "local" });
  await using _ = stack;
  const local = new Date(RECENT.getTime() - RECENT.getTimezoneOffset() * 60_000);
  assertMatch(await client.list("LIST a b.bin"), new RegExp(` ${local.toISOString().slice(11, 16)} a b`));
  await assertDialogue(client, [["MLST b.txt", /modify=20010203040506;/], ["MDTM b.txt", "213 20010203040506"]]);
});

Deno.test("LIST, NLST, MLSD, MLST and STAT refuse what is not there, before any data connection", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  for (const verb of ["LIST", "NLST", "MLSD", "MLST", "STAT"]) {
    await assertDialogue(client, [[`${verb} /nothing`, "550 No such file or directory."]]);
  }
  await assertDialogue(client, [["MLSD b.txt", "501 No such directory."]]);
});

/** Facts of a line of MLSD or MLST, with `unique` left out, and what follows them. */
function withoutUnique(text: string): string {
  return text.replaceAll(/unique=[0-9a-f]+;/g, "");
}

Deno.test("MLSD shows sorted facts and the name of each entry", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  const lines = withoutUnique(await client.list("MLSD")).split("\r\n");
  const recent = RECENT.toISOString().slice(0, 19).replace(/[-T:]/g, "");
  assertMatch(lines[0] ?? "", /;type=cdir;\S* \.$/);
  assertEquals(
    lines.toSorted(),
    [
      "",
      withoutUnique(lines[0] ?? ""),
      `modify=${recent};perm=radfwMT;size=1;type=file;unix.mode=0644; a b.bin`,
      "modify=20010203040506;perm=eldfmMTcp;size=0;type=dir;unix.mode=0755; dir",
      "modify=20010203040506;perm=radfwMT;size=5;type=file;unix.mode=0640; b.txt",
    ].sort(),
  );
});

Deno.test("MLSD shows the rights of the user", async () => {
  const { stack, client } = await start({ username: "anonymous" });
  await using _ = stack;
  const listing = await client.list("MLSD");
  assertMatch(listing, /perm=r;[^\r]* b\.txt/);
  assertMatch(listing, /perm=el;[^\r]* dir/);
});

Deno.test("MLST shows the facts of one path, with its full name behind a space", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  await client.expect(250, "CWD dir");
  const { text } = await client.command("MLST ../b.txt");
  assertEquals(
    withoutUnique(text),
    '250-Listing "/b.txt":\r\n modify=20010203040506;perm=radfwMT;size=5;type=file;unix.mode=0640; /b.txt\r\n' +
      "250 End MLST.",
  );
  await assertDialogue(client, [["MLST", /^250-Listing "\/dir":\n .*type=dir;.* \/dir\n250 End MLST\.$/]]);
});

Deno.test("OPTS MLST chooses the facts of MLSD and MLST, and their stars in FEAT", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  await assertDialogue(client, [
    ["OPTS MLST type;size;", "200 MLST OPTS type;size;"],
    ["MLST b.txt", '250-Listing "/b.txt":\n size=5;type=file; /b.txt\n250 End MLST.'],
    ["FEAT", /MLST type\*;perm;size\*;modify;unique;/],
  ]);
  assertEquals((await client.list("MLSD dir")).split("\r\n").sort(), [
    "",
    "size=0;type=cdir; .",
    "size=0;type=dir; deep",
    "size=1;type=file; -1",
  ]);
});

Deno.test("MLST and MLSD tell by unique which paths are the same file", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  await client.expect(200, "OPTS MLST unique;");
  const uniqueOf = (text: string, name: string) => new RegExp(`unique=([0-9a-f]+); \\S*${name}`).exec(text)?.[1];
  const listed = uniqueOf(await client.list("MLSD"), "b.txt");
  assertMatch(listed ?? "", /^[0-9a-f]+$/);
  assertEquals(uniqueOf((await client.command("MLST /b.txt")).text, "b.txt"), listed);
});

Deno.test("STAT with a path lists on the control connection", async () => {
  const { stack, client } = await start();
  await using _ = stack;
  const listing = (LINES.a + LINES.b + LINES.dir).replaceAll("\r\n", "\n");
  await assertDialogue(client, [
    ["STAT /", `212-Status of "/":\n${listing}212 End of status.`],
    ["STAT -la /", `212-Status of "/":\n${listing}212 End of status.`],
    ["STAT b.txt", `213-Status of "/b.txt":\n${LINES.b.replace("\r", "")}213 End of status.`],
    ["STAT dir/deep", /^212-Status of "\/dir\/deep":\n-.* c\n212 End of status\.$/],
  ]);
});

/** Reads how many lines a listing has. */
async function countLines(client: RawClient, line: string): Promise<number> {
  return (await client.list(line)).split("\r\n").length - 1;
}

Deno.test("LIST and MLSD show directories of many entries whole", async () => {
  const files = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`/file ${index}`, ""]));
  await using server = await TestServer.start({ home: MemoryFileSystem.of(files) });
  await using client = await server.login();
  assertEquals([await countLines(client, "LIST"), await countLines(client, "MLSD")], [5000, 5001]);
});

Deno.test("MLSD asks a file system for no more than the chosen facts show", async () => {
  const asked: string[] = [];
  class Home extends MemoryFileSystem {
    override list(path: string): AsyncGenerator<DirectoryEntry, void, undefined> {
      asked.push("all");
      return super.list(path);
    }

    listTypes(path: string): AsyncGenerator<DirectoryEntry, void, undefined> {
      asked.push("types");
      return super.list(path);
    }
  }
  await using server = await TestServer.start({ home: new Home() });
  await using client = await server.login();
  for (const facts of ["type;perm;", "perm;", "", "type;size;", "modify;"]) {
    await client.expect(200, `OPTS MLST ${facts}`.trim());
    await client.list("MLSD");
  }
  await client.list("LIST");
  assertEquals(asked, ["types", "types", "types", "all", "all", "all"]);
});
