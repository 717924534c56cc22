import { MemoryFileSystem } from "../../lib/filesystem/memory_filesystem.ts";
import { readOnly } from "../../lib/filesystem/read_only.ts";
import { assertDialogue, type Exchange } from "../helpers/dialogue.ts";
import { TestServer } from "../helpers/test_server.ts";

const MISSING = "550 No such file or directory.";

const EXCHANGES: Readonly<Record<string, readonly Exchange[]>> = {
  "DELE removes a file and nothing else": [
    ["DELE a.txt", "250 File removed."],
    ["DELE a.txt", MISSING],
    ["DELE dir", "550 Is a directory."],
  ],
  "MKD makes a directory and tells its path with quotes doubled": [
    ["MKD new", '257 "/new" directory created.'],
    ["CWD new", /^250 /],
    ['XMKD a "b"', '257 "/new/a ""b""" directory created.'],
    ["MKD /new", "550 File exists."],
    ["MKD /a.txt", "550 File exists."],
    ["MKD /x/y", MISSING],
    ["MKD /", "550 File exists."],
  ],
  "RMD removes an empty directory and nothing else": [
    ["RMD dir", "550 Directory not empty."],
    ["DELE dir/b", /^250 /],
    ["RMD dir", "250 Directory removed."],
    ["XRMD dir", MISSING],
    ["RMD a.txt", "550 Not a directory."],
    ["RMD /", "550 Can't remove root directory."],
    ["RMD ..", "550 Can't remove root directory."],
  ],
  "RNFR and RNTO rename files and directories": [
    ["RNFR a.txt", "350 Ready for destination name."],
    ["RNTO dir/c d.txt", "250 Renaming ok."],
    ["SIZE a.txt", MISSING],
    ["SIZE dir/c d.txt", "213 5"],
    ["RNFR dir", "350 Ready for destination name."],
    ["RNTO other", "250 Renaming ok."],
    ["SIZE other/b", "213 1"],
  ],
  "RNTO replaces a file, not a directory": [
    ["RNFR a.txt", /^350 /],
    ["RNTO dir", "550 File exists."],
    ["RNFR a.txt", /^350 /],
    ["RNTO dir/b", "250 Renaming ok."],
    ["SIZE dir/b", "213 5"],
  ],
  "RNTO needs an RNFR, which it uses up even when it fails": [
    ["RNTO x", "503 Bad sequence of commands: use RNFR first."],
    ["RNFR a.txt", /^350 /],
    ["RNTO /nowhere/x", MISSING],
    ["RNTO x", "503 Bad sequence of commands: use RNFR first."],
  ],
  "RNFR refuses what is not there and the root, and survives other commands": [
    ["RNFR nothing", MISSING],
    ["RNFR /", "550 Can't rename home directory."],
    ["RNTO x", /^503 /],
    ["RNFR a.txt", /^350 /],
    ["NOOP", /^200 /],
    ["SIZE a.txt", /^213 /],
    ["RNTO x", "250 Renaming ok."],
  ],
  "SIZE tells the bytes of files only, and nothing in ASCII": [
    ["SIZE a.txt", "213 5"],
    ["SIZE dir", "550 /dir is not retrievable."],
    ["SIZE nothing", MISSING],
    ["TYPE A", /^200 /],
    ["SIZE a.txt", "550 SIZE not allowed in ASCII mode."],
  ],
  "MDTM and MFMT read and set the time of files only": [
    ["MFMT 20010203040506 a.txt", "213 Modify=20010203040506; /a.txt."],
    ["MDTM a.txt", "213 20010203040506"],
    ["MFMT 20010203040506.789 dir/b", "213 Modify=20010203040506; /dir/b."],
    ["MDTM dir", "550 /dir is not retrievable."],
    ["MFMT 20010203040506 dir", "550 /dir is not retrievable."],
    ["MFMT 20010203040506 nothing", MISSING],
    ["MFMT 20010203040506", "501 Syntax error: command needs two arguments."],
    ["MFMT 2001020304050 a.txt", "550 Invalid time format; expected: YYYYMMDDHHMMSS."],
    ["MFMT 20011303040506 a.txt", "550 Invalid time format; expected: YYYYMMDDHHMMSS."],
    ["MFMT x a.txt", "550 Invalid time format; expected: YYYYMMDDHHMMSS."],
    ["MDTM a.txt", "213 20010203040506"],
  ],
  "SITE CHMOD sets exactly the bits given": [
    ["SITE CHMOD 600 a.txt", "200 SITE CHMOD successful."],
    ["MLST a.txt", /unix\.mode=0600;/],
    ["site chmod 0755 a.txt", "200 SITE CHMOD successful."],
    ["MLST a.txt", /unix\.mode=0755;/],
    ["SITE CHMOD 777 dir", "200 SITE CHMOD successful."],
    ["SITE CHMOD 600", "501 Syntax error: command needs two arguments."],
    ["SITE CHMOD 600 nothing", MISSING],
    ...["-177", "778", "foo", "77", "4755", "07777", "+x"].map((mode): Exchange => [
      `SITE CHMOD ${mode} a.txt`,
      "501 Invalid SITE CHMOD format.",
    ]),
    ["MLST a.txt", /unix\.mode=0755;/],
  ],
};

for (const [name, exchanges] of Object.entries(EXCHANGES)) {
  Deno.test(name, async () => {
    await using server = await TestServer.start({ home: MemoryFileSystem.of({ "/a.txt": "12345", "/dir/b": "1" }) });
    await using client = await server.login();
    await client.expect(200, "TYPE I");
    await assertDialogue(client, exchanges);
  });
}

Deno.test("Commands reply 502 where the file system has no method for them, and FEAT does not name them", async () => {
  await using server = await TestServer.start({ home: readOnly(MemoryFileSystem.of({ "/a.txt": "12345" })) });
  await using client = await server.login();
  const lines = [
    "STOR b",
    "APPE a.txt",
    "STOU",
    "DELE a.txt",
    "MKD b",
    "RMD b",
    "RNFR a.txt",
    "MFMT 20010203040506 a.txt",
    "SITE CHMOD 600 a.txt",
  ];
  for (const line of lines) await assertDialogue(client, [[line, "502 Not implemented by this file system."]]);
  await assertDialogue(client, [["FEAT", /^(?!.*MFMT)/s]]);
});
