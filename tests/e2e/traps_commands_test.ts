/**
 * What clients stumble over in commands and listings. The numbers are those of docs/interop.md; docs/interop_test.ts names further tests.
 */

import { assertEquals, assertMatch } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { assertDialogue, type Exchange } from "../helpers/dialogue.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer } from "../helpers/test_server.ts";

const NAMES_IN_DIR = "a b\r\nc\r\n";
const FILES = { "/dir/a b": "", "/dir/c": "", "/-R": "", "/--": "" };

const FLAGS: readonly (readonly [line: string, names: string])[] = [
  ["NLST -CF /dir", NAMES_IN_DIR],
  ["NLST -a /dir", NAMES_IN_DIR],
  ["NLST -1 -a /dir", NAMES_IN_DIR],
  ["NLST -la", "--\r\n-R\r\ndir\r\n"],
  ["NLST -CF", "--\r\n-R\r\ndir\r\n"],
  ["NLST -- /dir", NAMES_IN_DIR],
  ["NLST -a -- /dir", NAMES_IN_DIR],
  ["NLST -al /dir/a b", "/dir/a b\r\n"],
  ["NLST --", "--\r\n"],
  ["NLST -- -R", "-R\r\n"],
  ["NLST /-R", "/-R\r\n"],
];

for (const [line, names] of FLAGS) {
  Deno.test(`C5: "${line}" reads flags of ls, and a name where there is one`, async () => {
    await using server = await TestServer.start({ home: MemoryFileSystem.of(FILES) });
    await using client = await server.login();
    assertEquals(await client.list(line), names);
    const listed = (await client.list(line.replace("NLST", "LIST"))).split("\r\n").slice(0, -1);
    assertEquals(
      listed.map((entry) => `${/ \d{4} (.*)$| \d\d:\d\d (.*)$/.exec(entry)?.slice(1).join("")}\r\n`).join(""),
      names.replace(/^\/(?:dir\/)?/, ""),
    );
  });
}

Deno.test("C5: recursive listings are refused, but for a name that looks like the flag", async () => {
  await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/dir/a": "", "/-lR": "" }) });
  await using client = await server.login();
  const refusal = "504 Recursive listings are not offered.";
  for (const flags of ["-R", "-lRa", "-la -R", "-R --", "-alR dir", "-l -R -- dir"]) {
    const lines = ["LIST", "NLST", "STAT"].map((verb): Exchange => [`${verb} ${flags}`, refusal]);
    await assertDialogue(client, lines);
  }
  assertEquals(await client.list("NLST -lR"), "-lR\r\n");
  assertEquals(await client.list("NLST -r dir"), "a\r\n");
  assertEquals(await client.list("NLST -- -lR"), "-lR\r\n");
});

for (const state of ["before the login", "logged in"]) {
  Deno.test(`C10: OPTS UTF8 is answered by 200 whatever is asked: ${state}`, async () => {
    await using server = await TestServer.start();
    await using client = state === "logged in" ? await server.login() : await server.connect();
    const lines = ["OPTS UTF8 ON", "OPTS UTF8 OFF", "OPTS UTF8", "OPTS UTF-8", "OPTS UTF8 NLST", "opts utf8 on"];
    await assertDialogue(client, lines.map((line): Exchange => [line, "200 Always in UTF8 mode."]));
  });
}

Deno.test("C12: SIZE in ASCII tells the size where nothing is converted", async () => {
  await using server = await TestServer.start({
    home: MemoryFileSystem.of({ "/file": "a\nb\n" }),
    server: { transfer: { asciiConversion: false } },
  });
  await using client = await server.login();
  await assertDialogue(client, [["TYPE A", /^200 /], ["SIZE file", "213 4"], [
    "REST 2",
    "350 Restarting at position 2.",
  ]]);
  assertEquals(new TextDecoder().decode(await client.retrieve("file")), "b\n");
});

Deno.test("C17: a camera may make its folders again and again, and is never sent away", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  const missing = "550 No such file or directory.";
  await assertDialogue(client, [
    ["CWD /camera", missing],
    ["MKD /camera", '257 "/camera" directory created.'],
    ["CWD /camera/2031", missing],
    ["MKD /camera/2031", '257 "/camera/2031" directory created.'],
  ]);
  for (let count = 0; count < 50; count++) {
    await assertDialogue(client, [
      ["MKD /camera", "550 File exists."],
      ["MKD /camera/2031", "550 File exists."],
      ["CWD /camera/2031", '250 "/camera/2031" is the current directory.'],
    ]);
  }
});

Deno.test("C18: harmless questions get harmless answers", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  await assertDialogue(client, [
    ["HELP SITE", /^214 Syntax: SITE /],
    ["SITE HELP", /^214-.*\n CHMOD\n.*\n214 Help SITE command successful\.$/s],
    ["CLNT NcFTP 3.2.6 linux-x86_64-glibc2.31", "200 Noted."],
    ["ACCT anything", "202 No account information is needed."],
    ["NOOP are you there?", "501 Syntax error: command does not accept arguments."],
    ["NOOP", "200 I successfully did nothing."],
    ["SYST", "215 UNIX Type: L8"],
  ]);
});

const ACCOUNTS = [
  ["two words", " leading and trailing "],
  ["me@example.com", "p@ss:word"],
  ["DOMAIN\\user", '"quoted" \\ %20'],
  [" spaced ", "  "],
  ["größe", "пароль 🔑"],
] as const;

for (const [name, password] of ACCOUNTS) {
  Deno.test(`C24: the name "${name}" and its password are taken to the letter`, async () => {
    const authorizer = new VirtualAuthorizer();
    authorizer.addUser(name, password, new MemoryFileSystem());
    await using server = await TestServer.start({ server: { authorizer, limits: { loginAttempts: 0 } } });
    await using client = await server.connect();
    for (const wrong of [` ${password}`, `${password} `, password.trim()].filter((it) => it !== password)) {
      await assertDialogue(client, [[`USER ${name}`, /^331 /], [`PASS ${wrong}`, "530 Authentication failed."]]);
    }
    await assertDialogue(client, [[`USER ${name}`, /^331 /], [`PASS ${password}`, "230 Login successful."]]);
  });
}

Deno.test({
  name: "C28: a link to a file is listed as that, one to a directory as a link, and never where they are on the host",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    await Deno.mkdir(`${folder.path}/real`);
    await Deno.writeTextFile(`${folder.path}/real/file`, "12345");
    await Deno.symlink("real/file", `${folder.path}/to-file`);
    await Deno.symlink(`${folder.path}/real`, `${folder.path}/to-dir`);
    await Deno.symlink("/etc/passwd", `${folder.path}/to-passwd`);
    await Deno.symlink("nowhere", `${folder.path}/to-nowhere`);
    await using server = await TestServer.start({ home: folder.path });
    await using client = await server.login();
    assertMatch(await client.list(), /^d.* real\r\nl.* 0 .* to-dir -> real\r\n-.* 5 .* to-file\r\n$/);
    assertEquals(await client.list("NLST"), "real\r\nto-dir\r\nto-file\r\n");
    const entries = (await client.list("MLSD")).split("\r\n").slice(0, -1).sort((one, other) =>
      one.slice(one.indexOf(" ")) < other.slice(other.indexOf(" ")) ? -1 : 1
    );
    assertEquals(entries.map((entry) => entry.replace(/^.*;(type=[\w.=]+);.*; /, "$1 ")), [
      "type=cdir .",
      "type=dir real",
      "type=OS.unix=slink to-dir",
      "type=file to-file",
    ]);
  },
});
