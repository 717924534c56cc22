import { assertEquals } from "@std/assert";
import { FACT_NAMES } from "../../../lib/protocol/facts.ts";
import { MemoryFileSystem } from "../../../lib/filesystem/memory/memory_filesystem.ts";
import { parseFactsLine } from "../../helpers/listing_parser.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";
import { TestServer } from "../../helpers/test_server.ts";
import { FILES, OPENED, type Step, testTranscript } from "../../helpers/transcript.ts";

const MISSING = "550 No such file or directory.";
const OKAY = "150 File status okay. About to open data connection.";
const DONE = "226 Transfer complete.";

const MODIFIED = new Date("2020-01-01T09:04:05Z");
const CURRENT = "drwxr-xr-x   1 ftp      ftp             0 Jan 01  2020 dir\r\n" +
  "-rw-r--r--   1 ftp      ftp            10 Jan 01  2020 file\r\n";

const files = () => MemoryFileSystem.of(FILES, { now: () => MODIFIED });

testTranscript("LIST shows a directory sorted by name, or one file", [
  ...["LIST", "LIST -a", "LIST -l", "LIST -al", "LIST -la", "LIST -AL", "LIST /"].map(
    (line): Step => [line, OKAY, { receives: CURRENT }, DONE],
  ),
  ["LIST file", OKAY, { receives: CURRENT.replace(/^d.*\r\n/, "") }, DONE],
  ["LIST dir/inner", OKAY, { receives: "-rw-r--r--   1 ftp      ftp             6 Jan 01  2020 inner\r\n" }, DONE],
  ["LIST nothing", MISSING],
], { files });

testTranscript("NLST shows names", [
  ["NLST", OKAY, { receives: "dir\r\nfile\r\n" }, DONE],
  ["NLST dir", OKAY, { receives: "inner\r\n" }, DONE],
  ["NLST dir/inner", OKAY, { receives: "dir/inner\r\n" }, DONE],
  ["NLST nothing", MISSING],
], { files });

testTranscript("MLSD shows facts sorted by name", [
  ["OPTS MLST type;perm;size;modify;", /^200 /],
  ["MLSD dir", OKAY, {
    receives: "modify=20200101090405;perm=eldfmMTcp;size=0;type=cdir; .\r\n" +
      "modify=20200101090405;perm=radfwMT;size=6;type=file; inner\r\n",
  }, DONE],
  ["MLSD file", "501 No such directory."],
  ["MLSD nothing", MISSING],
], { files });

testTranscript("MLST shows one path in full", [
  ["OPTS MLST type;perm;size;modify;", /^200 /],
  [
    "MLST file",
    '250-Listing "/file":\n modify=20200101090405;perm=radfwMT;size=10;type=file; /file\n250 End MLST.',
  ],
  ["CWD dir", /^250 /],
  [
    "MLST inner",
    '250-Listing "/dir/inner":\n modify=20200101090405;perm=radfwMT;size=6;type=file; /dir/inner\n250 End MLST.',
  ],
  ["MLST", /^250-Listing "\/dir":\n modify=20200101090405;perm=eldfmMTcp;size=0;type=dir; \/dir\n250 End MLST\.$/],
  ["MLST nothing", MISSING],
], { files });

testTranscript("Facts show the rights of who asks", [
  ["OPTS MLST perm;", /^200 /],
  ["MLST file", '250-Listing "/file":\n perm=r; /file\n250 End MLST.'],
  ["MLST dir", '250-Listing "/dir":\n perm=el; /dir\n250 End MLST.'],
], { files, username: "anonymous" });

testTranscript("An empty directory is listed by no bytes, and by MLSD alone", [
  ["OPTS MLST type;", /^200 /],
  ["MKD empty", /^257 /],
  ["LIST empty", OKAY, { receives: "" }, DONE],
  ["NLST empty", OKAY, { receives: "" }, DONE],
  ["MLSD empty", OKAY, { receives: "type=cdir; .\r\n" }, DONE],
], { files });

testTranscript("What is missing is told before any data connection is made", [
  ["EPSV", /^229 /],
  ["LIST nothing", MISSING],
  ["NLST nothing", MISSING],
  ["MLSD nothing", MISSING],
  OPENED,
  ["LIST nothing", MISSING],
  ["NLST", OKAY, { receives: "dir\r\nfile\r\n" }, DONE],
], { files });

testTranscript("A time that no reply can show does not break a listing", [
  ["MLST file", /^250-Listing "\/file":\n perm=\S*;size=10;type=file;\S* \/file\n250 End MLST\.$/],
  ["LIST file", OKAY, { receives: "-rw-r--r--   1 ftp      ftp            10 Jan 01  1970 file\r\n" }, DONE],
  ["MDTM file", "550 Modification time not available."],
], { files: () => MemoryFileSystem.of(FILES, { now: () => new Date("+020000-01-01T00:00:00Z") }) });

Deno.test({
  name: "MLST and MLSD give every fact that FEAT names",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    await Deno.writeTextFile(`${folder.path}/file`, "0123456789");
    await using server = await TestServer.start({ home: folder.path });
    await using client = await server.login();
    const [, named = ""] = /\r\n MLST (\S+)\r\n/.exec((await client.expect(211, "FEAT")).text) ?? [];
    assertEquals(named.replaceAll("*", "").split(";").slice(0, -1), [...FACT_NAMES]);
    await client.expect(200, `OPTS MLST ${named.replaceAll("*", "")}`);
    const shown = (await client.expect(250, "MLST file")).lines[1]?.slice(1) ?? "";
    const listed = (await client.list("MLSD")).replace("\r\n", "");
    for (const line of [shown, listed]) {
      assertEquals(Object.keys(parseFactsLine(line).facts), [...FACT_NAMES].sort());
    }
  },
});
