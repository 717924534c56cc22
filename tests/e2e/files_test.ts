import { assertEquals } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { readOnly } from "../../lib/filesystem/read_only.ts";
import { assertDialogue, type Exchange } from "../helpers/dialogue.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
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
    ["SIZE a.txt", "550 /a.txt is not retrievable."],
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
    ["SIZE nothing", "550 /nothing is not retrievable."],
    ["TYPE A", /^200 /],
    ["SIZE a.txt", "550 SIZE not allowed in ASCII mode."],
  ],
  "MDTM and MFMT read and set the time of files and directories": [
    ["MFMT 20010203040506 a.txt", "213 Modify=20010203040506; /a.txt."],
    ["MDTM a.txt", "213 20010203040506"],
    ["MFMT 20010203040506.789 dir/b", "213 Modify=20010203040506; /dir/b."],
    ["MDTM dir", /^213 20(?!01)\d{12}$/],
    ["MFMT 20010203040507 dir", "213 Modify=20010203040507; /dir."],
    ["MDTM dir", "213 20010203040507"],
    ["MLST dir", /modify=20010203040507;/],
    ["MDTM 20010203040508 dir", "213 Modify=20010203040508; /dir."],
    ["MDTM dir", "213 20010203040508"],
    ["MDTM nothing", "550 /nothing is not retrievable."],
    ["MFMT 20010203040506 nothing", "550 /nothing is not retrievable."],
    ["MFMT 20010203040506", "501 Syntax error: command needs two arguments."],
    ["MFMT 2001020304050 a.txt", "550 Invalid time format; expected: YYYYMMDDHHMMSS."],
    ["MFMT 20011303040506 a.txt", "550 Invalid time format; expected: YYYYMMDDHHMMSS."],
    ["MFMT x a.txt", "550 Invalid time format; expected: YYYYMMDDHHMMSS."],
    ["MDTM a.txt", "213 20010203040506"],
  ],
  "MDTM with a time sets that, unless a file has such a name": [
    ["MDTM 20010203040506 a.txt", "213 Modify=20010203040506; /a.txt."],
    ["MDTM a.txt", "213 20010203040506"],
    ["MDTM 20011303040506 a.txt", "550 Invalid time format; expected: YYYYMMDDHHMMSS."],
    ["MDTM 20010203040506 nothing", "550 /nothing is not retrievable."],
    ["RNFR dir/b", /^350 /],
    ["RNTO 20010203040506 a.txt", /^250 /],
    ["MDTM 20010203040506 a.txt", /^213 20(?!01)\d{12}$/],
  ],
  "MFF changes the facts given, or none": [
    ["MFF modify=20010203040506;unix.mode=600; a.txt", "213 UNIX.mode=0600;Modify=20010203040506; /a.txt"],
    ["MLST a.txt", /modify=20010203040506;.*unix\.mode=0600;/],
    ["MFF UNIX.Mode=0755; dir", "213 UNIX.mode=0755; /dir"],
    ["MFF unix.mode=644;size=1; a.txt", '504 Fact "size" cannot be changed.'],
    ["MFF unix.mode=644;modify=2001; a.txt", "501 Invalid facts; expected: modify=YYYYMMDDHHMMSS;unix.mode=NNN;"],
    ["MFF unix.mode=644 a.txt", "501 Invalid facts; expected: modify=YYYYMMDDHHMMSS;unix.mode=NNN;"],
    ["MFF unix.mode=644;", "501 Syntax error: command needs two arguments."],
    ["MFF unix.mode=644; nothing", MISSING],
    ["MLST a.txt", /modify=20010203040506;.*unix\.mode=0600;/],
  ],
  "SITE UTIME sets the time in both forms that clients send": [
    ["SITE UTIME 200102030405 a.txt", "200 SITE UTIME successful."],
    ["MDTM a.txt", "213 20010203040500"],
    ["SITE UTIME 20010203040506 dir/b", "200 SITE UTIME successful."],
    ["MDTM dir/b", "213 20010203040506"],
    ["SITE UTIME a.txt 20300101000000 20020203040506 20310101000000 UTC", "200 SITE UTIME successful."],
    ["MDTM a.txt", "213 20020203040506"],
    ["SITE UTIME 20011303040506 a.txt", "550 Invalid time format; expected: YYYYMMDDHHMMSS."],
    ["SITE UTIME 200102030405 nothing", MISSING],
    ["SITE UTIME a.txt", "501 Syntax error: command needs two arguments."],
  ],
  "SITE UMASK holds for what is made from then on": [
    ["SITE UMASK", "200 UMASK is 0000."],
    ["SITE UMASK 077", "200 UMASK set to 0077."],
    ["SITE UMASK", "200 UMASK is 0077."],
    ["MKD new", /^257 /],
    ["MLST new", /unix\.mode=0700;/],
    ["MLST dir", /unix\.mode=0755;/],
    ["SITE UMASK 888", "501 Invalid SITE UMASK format."],
    ["SITE UMASK 1000", "501 Invalid SITE UMASK format."],
    ["SITE UMASK", "200 UMASK is 0077."],
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
    "MDTM 20010203040506 a.txt",
    "MFF modify=20010203040506; a.txt",
    "SITE UTIME 200102030405 a.txt",
    "SITE UMASK 22",
    "AVBL",
  ];
  for (const line of lines) await assertDialogue(client, [[line, "502 Not implemented by this file system."]]);
  await assertDialogue(client, [["FEAT", /^(?!.*(?:MFMT|MFF|AVBL))/s]]);
});

Deno.test("SITE UMASK holds for uploads of every kind, and no longer than the login", async () => {
  await using folder = await TemporaryFolder.create();
  await using server = await TestServer.start({ home: folder.path });
  await using client = await server.login();
  await client.expect(200, "SITE UMASK 037");
  await client.store("/stored", new Uint8Array(1));
  await client.store("/appended", new Uint8Array(1), "APPE");
  await client.store("", new Uint8Array(1), "STOU");
  await client.expect(257, "MKD /made");
  const modes: Record<string, number> = {};
  for await (const { name } of Deno.readDir(folder.path)) {
    const { mode } = await Deno.stat(`${folder.path}/${name}`);
    modes[name.replace(/\..*/, "")] = (mode ?? 0) & 0o777;
  }
  assertEquals(modes, { stored: 0o640, appended: 0o640, ftpd: 0o640, made: 0o740 });
  await client.expect(230, "REIN");
  await client.login("user", "12345");
  await assertDialogue(client, [["SITE UMASK", "200 UMASK is 0000."]]);
});

Deno.test("AVBL tells the room that is left, to those who may store", async () => {
  const home = new MemoryFileSystem({ maxBytes: 1000 });
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  await client.store("/a", new Uint8Array(300));
  await assertDialogue(client, [["AVBL", "213 700"], ["AVBL /a", "213 700"], ["AVBL nothing", MISSING], [
    "FEAT",
    /AVBL/,
  ]]);
  await using reader = await server.login({ username: "anonymous" });
  await assertDialogue(reader, [["AVBL", "550 Not enough privileges."]]);
});

Deno.test("AVBL tells the room on the disk, as far as the runtime may ask for it", async () => {
  await using folder = await TemporaryFolder.create();
  await using server = await TestServer.start({ home: folder.path });
  await using client = await server.login();
  await assertDialogue(client, [["AVBL", /^213 [1-9]\d*$/], ["AVBL ../../nothing", MISSING]]);
});
