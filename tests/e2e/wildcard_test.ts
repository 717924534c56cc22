import { assertEquals } from "@std/assert";
import type { FileSystem } from "../../lib/filesystem/filesystem.ts";
import { LocalFileSystem } from "../../lib/filesystem/local/local_filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { assertDialogue } from "../helpers/dialogue.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";

const FILES: Readonly<Record<string, string>> = {
  "/a.txt": "a",
  "/b.txt": "b",
  "/c.zip": "c",
  "/.hidden.txt": "h",
  "/a[1].txt": "1",
  "/[2024] photos/p.jpg": "p",
  "/sub/d.txt": "d",
  "/sub/e.zip": "e",
  "/-foo/f.txt": "f",
};

/** What is asked for, and the names that come: with folders by NLST, without by LIST and STAT. */
const MATCHES: readonly (readonly [argument: string, names: readonly string[]])[] = [
  ["*", ["-foo", "[2024] photos", "a.txt", "a[1].txt", "b.txt", "c.zip", "sub"]],
  ["*.txt", ["a.txt", "a[1].txt", "b.txt"]],
  ["?.txt", ["a.txt", "b.txt"]],
  ["[!a].*", ["b.txt", "c.zip"]],
  [".*", [".hidden.txt"]],
  ["sub/*.txt", ["sub/d.txt"]],
  ["sub/*", ["sub/d.txt", "sub/e.zip"]],
  ["/sub/[d]*", ["/sub/d.txt"]],
  ["sub/../*.zip", ["sub/../c.zip"]],
  ["-la *.zip", ["c.zip"]],
  ["-foo/*", ["-foo/f.txt"]],
  ["*.none", []],
  ["sub/?", []],
  [`${"*a".repeat(300)}`, []],
  // What has that very name goes first.
  ["a[1].txt", ["a[1].txt"]],
  ["/a[1].txt", ["/a[1].txt"]],
  ["[2024] photos/*", ["[2024] photos/p.jpg"]],
];

async function namesOf(client: RawClient, line: string): Promise<readonly string[]> {
  const listing = await client.list(line);
  return listing.split("\r\n").slice(0, -1);
}

/** The name behind the time of a line of LIST. */
function nameIn(line: string): string {
  return /^.{10}(?: +\S+){4} \w{3} \d\d +[\d:]+ (.*)$/.exec(line)?.[1] ?? `no name in "${line}"`;
}

async function assertMatches(home: string | FileSystem): Promise<void> {
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  for (const [argument, names] of MATCHES) {
    const bare = names.map((name) => name.slice(name.lastIndexOf("/") + 1));
    assertEquals(await namesOf(client, `NLST ${argument}`), names, argument);
    assertEquals((await namesOf(client, `LIST ${argument}`)).map(nameIn), bare, argument);
    const { lines } = await client.command(`STAT ${argument}`);
    assertEquals(lines.slice(1, -1).map(nameIn), bare, argument);
    // Each name can be asked for as it came.
    for (const name of names.filter((name) => /\.\w+$/.test(name))) await client.expect(213, `SIZE ${name}`);
  }
  await assertDialogue(client, [
    ["NLST nothing/*", "550 No such file or directory."],
    ["LIST a.txt/*", "550 Not a directory."],
    ["STAT nothing/*", "550 No such file or directory."],
    ["STAT a[1].txt", /^213-Status of "\/a\[1\]\.txt":\n-.* a\[1\]\.txt\n213 End of status\.$/],
    ["STAT [2024] photos", /^212-Status of "\/\[2024\] photos":\n-.* p\.jpg\n212 End of status\.$/],
    ["STAT *.zip", /^212-Status of "\/\*\.zip":\n-.* c\.zip\n212 End of status\.$/],
    // Nothing else takes patterns.
    ["SIZE ?.txt", "550 /?.txt is not retrievable."],
    ["RETR *.zip", "550 No such file or directory."],
    ["MLSD s*", "550 No such file or directory."],
    ["MLST *.zip", "550 No such file or directory."],
    ["CWD s*", "550 No such file or directory."],
  ]);
}

Deno.test("NLST, LIST and STAT list what a pattern matches, in memory", async () => {
  await assertMatches(MemoryFileSystem.of(FILES));
});

Deno.test("NLST, LIST and STAT list what a pattern matches, by a file system that has nothing but what it must", async () => {
  const files = MemoryFileSystem.of(FILES);
  await assertMatches({
    stat: (path) => files.stat(path),
    list: (path) => files.list(path),
    openRead: (path, options) => files.openRead(path, options),
  });
});

Deno.test({
  name: "NLST, LIST and STAT list what a pattern matches, on the disk",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    for (const [path, text] of Object.entries(FILES)) {
      await Deno.mkdir(`${folder.path}${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
      await Deno.writeTextFile(`${folder.path}${path}`, text);
    }
    await assertMatches(new LocalFileSystem(folder.path));
  },
});

Deno.test("A file whose name is a pattern hides what that would match", async () => {
  await using server = await TestServer.start({
    home: MemoryFileSystem.of({ "/*.txt": "", "/a.txt": "", "/?/x": "" }),
  });
  await using client = await server.login();
  assertEquals(await client.list("NLST *.txt"), "*.txt\r\n");
  assertEquals(await client.list("NLST ?"), "x\r\n");
  assertEquals(await client.list("NLST [*].txt"), "*.txt\r\n");
  assertEquals(await client.list("NLST *"), "*.txt\r\n?\r\na.txt\r\n");
});

Deno.test("NLST of one file gives a name that RETR takes", async () => {
  await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/sub/a": "", "/b": "" }) });
  await using client = await server.login();
  const names: readonly (readonly [argument: string, name: string])[] = [
    ["b", "b"],
    ["sub/a", "sub/a"],
    ["./sub//a", "./sub//a"],
    ["sub/a/", "/sub/a"],
    ["sub/a/.", "/sub/a"],
    ["sub/x/../a", "sub/x/../a"],
    ["-l sub/a", "sub/a"],
  ];
  for (const [argument, name] of names) assertEquals(await client.list(`NLST ${argument}`), `${name}\r\n`);
  await client.expect(250, "CWD sub");
  assertEquals(await client.list("NLST ../b"), "../b\r\n");
  assertEquals(await client.list("NLST a"), "a\r\n");
});
