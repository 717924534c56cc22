import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../../lib/filesystem/memory/memory_filesystem.ts";
import { FILES, NOTHING, OPENED, testTranscript } from "../../helpers/transcript.ts";

const MISSING = "550 No such file or directory.";
const OKAY = "150 File status okay. About to open data connection.";
const DONE = "226 Transfer complete.";
const sized = (bytes: number) => `150 File status okay. About to open data connection (${bytes} bytes).`;
const TWO_ARGUMENTS = "501 Syntax error: command needs two arguments.";
const NO_TIME = "550 Invalid time format; expected: YYYYMMDDHHMMSS.";

/** As FAT keeps them. */
function withTimesOfTwoSeconds(): MemoryFileSystem {
  const home = MemoryFileSystem.of(FILES);
  const setModified = home.setModified.bind(home);
  home.setModified = (path, modified) => setModified(path, new Date(Math.floor(modified.getTime() / 2000) * 2000));
  return home;
}

function whereEachNameIsTaken(): MemoryFileSystem {
  const home = MemoryFileSystem.of(FILES);
  home.openWrite = (path) => Promise.reject(new FileSystemError("exists", `Cannot create "${path}": it exists`));
  return home;
}

testTranscript("CWD, CDUP and PWD", [
  ["PWD", '257 "/" is the current directory.'],
  ["CWD dir", '250 "/dir" is the current directory.'],
  ["XPWD", '257 "/dir" is the current directory.'],
  ["CDUP", '250 "/" is the current directory.'],
  ["CDUP", '250 "/" is the current directory.'],
  ["XCUP", '250 "/" is the current directory.'],
  ["XCWD dir", '250 "/dir" is the current directory.'],
  ["CWD", '250 "/" is the current directory.'],
  ['MKD a "quoted" name', '257 "/a ""quoted"" name" directory created.'],
  ['CWD a "quoted" name', '250 "/a "quoted" name" is the current directory.'],
  ["PWD", '257 "/a ""quoted"" name" is the current directory.'],
]);

testTranscript("MKD and RMD", [
  ["MKD new", '257 "/new" directory created.'],
  ["CWD new", '250 "/new" is the current directory.'],
  ["XMKD inner", '257 "/new/inner" directory created.'],
  ["MKD /new", "550 File exists."],
  ["RMD /new", "550 Directory not empty."],
  ["XRMD inner", "250 Directory removed."],
  ["RMD inner", MISSING],
  ["RMD /file", "550 Not a directory."],
  ["RMD /", "550 Can't remove root directory."],
]);

testTranscript("DELE", [
  ["DELE file", "250 File removed."],
  ["DELE file", MISSING],
  ["DELE dir", "550 Is a directory."],
  ["DELE /", "550 Is a directory."],
]);

testTranscript("RNFR and RNTO", [
  ["RNTO new", "503 Bad sequence of commands: use RNFR first."],
  ["RNFR nothing", MISSING],
  ["RNFR /", "550 Can't rename home directory."],
  ["RNFR file", "350 Ready for destination name."],
  ["NOOP", /^200 /],
  ["RNTO new", "250 Renaming ok."],
  ["RNTO newer", "503 Bad sequence of commands: use RNFR first."],
  ["RNFR new", "350 Ready for destination name."],
  ["RNTO /nowhere/new", MISSING],
  ["RNTO new", "503 Bad sequence of commands: use RNFR first."],
]);

testTranscript("TYPE", [
  ["STAT", /\n TYPE: ASCII; STRUcture: File; MODE: Stream\n/],
  ["TYPE I", "200 Type set to: Binary."],
  ["TYPE A", "200 Type set to: ASCII."],
  ["TYPE L8", "200 Type set to: Binary."],
  ["TYPE L7", "200 Type set to: ASCII."],
  ["TYPE L 8", "200 Type set to: Binary."],
  ["type a", "200 Type set to: ASCII."],
  ["TYPE A N", "200 Type set to: ASCII."],
  ["TYPE ?!?", '504 Unsupported type "?!?".'],
]);

testTranscript("MODE and STRU", [
  ["MODE S", "200 Transfer mode set to: S"],
  ["mode s", "200 Transfer mode set to: S"],
  ["MODE B", "504 Unimplemented MODE type."],
  ["MODE C", "504 Unimplemented MODE type."],
  ["MODE X", "501 Unrecognized MODE type."],
  ["STRU F", "200 File transfer structure set to: F."],
  ["STRU P", "504 Unimplemented STRU type."],
  ["STRU R", "504 Unimplemented STRU type."],
  ["STRU X", "501 Unrecognized STRU type."],
]);

testTranscript("ALLO takes whatever it is given", [
  ["ALLO 100", "200 No storage allocation necessary."],
  ["ALLO 100 R 10", "200 No storage allocation necessary."],
  ["ALLO x", "200 No storage allocation necessary."],
]);

testTranscript("SIZE", [
  ["SIZE file", "550 SIZE not allowed in ASCII mode."],
  ["TYPE I", /^200 /],
  ["SIZE file", "213 10"],
  ["SIZE dir", "550 /dir is not retrievable."],
  ["SIZE nothing", "550 /nothing is not retrievable."],
]);

testTranscript("MDTM and MFMT", [
  ["MFMT 20010203040506 file", "213 Modify=20010203040506; /file."],
  ["MDTM file", "213 20010203040506"],
  ["MFMT 20010203040506 dir", "213 Modify=20010203040506; /dir."],
  ["MDTM dir", "213 20010203040506"],
  ["MDTM 20010203040507 dir", "213 Modify=20010203040507; /dir."],
  ["MDTM dir", "213 20010203040507"],
  ["MFMT 20010203040506", TWO_ARGUMENTS],
  ["MFMT 2001020304050 file", NO_TIME],
  ["MFMT 200102030405060 file", NO_TIME],
  ["MFMT 2001020304050x file", NO_TIME],
  ["MFMT 20010203040506 nothing", "550 /nothing is not retrievable."],
  ["MDTM nothing", "550 /nothing is not retrievable."],
  ["MDTM file", "213 20010203040506"],
]);

testTranscript("MFMT and MFF show the time that the file has then", [
  ["MFMT 20010203040507 file", "213 Modify=20010203040506; /file."],
  ["MFF modify=20010203040509; file", "213 Modify=20010203040508; /file"],
  ["MDTM file", "213 20010203040508"],
], { files: withTimesOfTwoSeconds });

testTranscript("SITE CHMOD", [
  ["SITE CHMOD 777 file", "200 SITE CHMOD successful."],
  ["MLST file", /;unix\.mode=0777;/],
  ["SITE CHMOD 755 file", "200 SITE CHMOD successful."],
  ["MLST file", /;unix\.mode=0755;/],
  ["SITE CHMOD 0555 file", "200 SITE CHMOD successful."],
  ["MLST file", /;unix\.mode=0555;/],
  ["SITE CHMOD 777", TWO_ARGUMENTS],
  ["SITE CHMOD -177 file", "501 Invalid SITE CHMOD format."],
  ["SITE CHMOD 778 file", "501 Invalid SITE CHMOD format."],
  ["SITE CHMOD foo file", "501 Invalid SITE CHMOD format."],
  ["MLST file", /;unix\.mode=0555;/],
]);

testTranscript("REST takes whole numbers, not in ASCII", [
  ["REST 5", "501 Resuming transfers not allowed in ASCII mode."],
  ["TYPE I", /^200 /],
  ["REST -1", "501 Invalid parameter."],
  ["REST 10.1", "501 Invalid parameter."],
  ["REST foo", "501 Invalid parameter."],
  ["REST 5", "350 Restarting at position 5."],
]);

testTranscript("REST and RETR", [
  ["TYPE I", /^200 /],
  ["REST 4", "350 Restarting at position 4."],
  ["RETR file", sized(6), { receives: "456789" }, DONE],
  ["RETR file", sized(10), { receives: "0123456789" }, DONE],
  ["REST 10", /^350 /],
  ["RETR file", sized(0), { receives: "" }, DONE],
  ["REST 11", "350 Restarting at position 11."],
  OPENED,
  ["RETR file", "554 REST position (11) > file size (10)"],
  ["RETR file", sized(10), { receives: "0123456789" }, DONE],
]);

testTranscript("REST and STOR", [
  ["TYPE I", /^200 /],
  ["REST 4", /^350 /],
  ["STOR file", OKAY, { sends: "end" }, DONE],
  ["RETR file", sized(10), { receives: "0123end789" }, DONE],
  ["REST 11", /^350 /],
  OPENED,
  ["STOR file", "554 REST position (11) > file size (10)"],
  ["STOR file", OKAY, { sends: "all of it" }, DONE],
  ["RETR file", sized(9), { receives: "all of it" }, DONE],
  ["REST 1", /^350 /],
  ["STOR nothing", MISSING],
  ["SIZE nothing", "550 /nothing is not retrievable."],
]);

testTranscript("REST is used up by a STOR that fails", [
  ["TYPE I", /^200 /],
  ["REST 4", /^350 /],
  ["STOR /nowhere/new", MISSING],
  ["RETR file", sized(10), { receives: "0123456789" }, DONE],
]);

testTranscript("REST outlives other commands, and the next transfer uses it up; APPE and STOU are forbidden", [
  ["TYPE I", /^200 /],
  ["REST 4", /^350 /],
  ["NOOP", /^200 /],
  ["RETR file", sized(6), { receives: "456789" }, DONE],
  ["REST 4", /^350 /],
  ["APPE file", "450 Can't APPE while REST request is pending."],
  ["RETR file", sized(10), { receives: "0123456789" }, DONE],
  ["REST 4", /^350 /],
  ["STOU", "450 Can't STOU while REST request is pending."],
  ["APPE file", OKAY, { sends: "+" }, DONE],
  ["RETR file", sized(11), { receives: "0123456789+" }, DONE],
]);

testTranscript("STOR and APPE", [
  ["STOR new", OKAY, { sends: "abc" }, DONE],
  ["RETR new", OKAY, { receives: "abc" }, DONE],
  ["STOR new", OKAY, { sends: "x" }, DONE],
  ["RETR new", OKAY, { receives: "x" }, DONE],
  ["APPE new", OKAY, { sends: "yz" }, DONE],
  ["APPE newer", OKAY, { sends: "from nothing" }, DONE],
  ["RETR new", OKAY, { receives: "xyz" }, DONE],
  ["RETR newer", OKAY, { receives: "from nothing" }, DONE],
  ["STOR empty", OKAY, { sends: "" }, DONE],
  ["RETR empty", OKAY, { receives: "" }, DONE],
]);

testTranscript("STOU tells the new name", [
  ["STOU", /^150 FILE: ftpd\.\w{8}$/, { sends: "abc" }, DONE],
  ["STOU begin", /^150 FILE: begin\.\w{8}$/, { sends: "abc" }, DONE],
  ["STOU dir/begin", /^150 FILE: begin\.\w{8}$/, { sends: "abc" }, DONE],
  ["NLST dir", OKAY, { receives: /^begin\.\w{8}\r\ninner\r\n$/ }, DONE],
  ["NLST", OKAY, { receives: /^begin\.\w{8}\r\ndir\r\nfile\r\nftpd\.\w{8}\r\n$/ }, DONE],
]);

testTranscript("STOU may come before the port", [
  ["STOU", /^150 FILE: ftpd\.\w{8}$/],
  OPENED,
  [NOTHING, { sends: "abc" }, DONE],
  ["STOU", /^150 FILE: ftpd\.\w{8}$/],
  ["PORT {PORT}", "200 Active data connection established."],
  [NOTHING, { sends: "abc" }, DONE],
]);

testTranscript("STOU gives up when no name is free", [
  ["STOU", "450 No usable unique file name found."],
  ["NLST", OKAY, { receives: "dir\r\nfile\r\n" }, DONE],
], { files: whereEachNameIsTaken });

testTranscript("STOU without the right leaves nothing behind", [
  OPENED,
  ["STOU", "550 Not enough privileges."],
  ["NLST", OKAY, { receives: "dir\r\nfile\r\n" }, DONE],
], { username: "anonymous" });

testTranscript("ASCII converts line ends, binary does not", [
  ["RETR lf", OKAY, { receives: "a\r\nb\r\n\r\nc" }, DONE],
  ["RETR crlf", OKAY, { receives: "a\r\nb\r\n" }, DONE],
  ["STOR up", OKAY, { sends: "a\r\nb\rc\nd\r\n" }, DONE],
  ["TYPE I", /^200 /],
  ["RETR lf", sized(6), { receives: "a\nb\n\nc" }, DONE],
  ["RETR up", sized(8), { receives: "a\nb\rc\nd\n" }, DONE],
  ["STOR up", OKAY, { sends: "a\r\nb\n" }, DONE],
  ["RETR up", sized(5), { receives: "a\r\nb\n" }, DONE],
], { files: { ...FILES, "/lf": "a\nb\n\nc", "/crlf": "a\r\nb\r\n" } });
