import { CLOSED, testTranscript } from "../../helpers/transcript.ts";

const NEEDS_ARGUMENT = "501 Syntax error: command needs an argument.";
const TAKES_NONE = "501 Syntax error: command does not accept arguments.";
const LOGIN_FIRST = "530 Log in with USER and PASS first.";

testTranscript("Unknown commands are named in the reply", [
  ["XYZ", '500 Command "XYZ" not understood.'],
  ["xyz with an argument", '500 Command "XYZ" not understood.'],
  ["", '500 Command "" not understood.'],
  [" NOOP", '500 Command "" not understood.'],
  ["SITE FOO", '500 Command "SITE FOO" not understood.'],
  ["SITEFOO", '500 Command "SITEFOO" not understood.'],
]);

testTranscript("Verbs are read in any case, and the argument is all that follows one space", [
  ["noop", "200 I successfully did nothing."],
  ["NoOp ", "200 I successfully did nothing."],
  ["MKD  two", '257 "/ two" directory created.'],
  ["MKD trailing ", '257 "/trailing " directory created.'],
  ["CWD trailing", "550 No such file or directory."],
  ["CWD trailing ", '250 "/trailing " is the current directory.'],
]);

testTranscript("Blanks behind an argument that is no name are left out, and belong to a name", [
  ["MODE S ", "200 Transfer mode set to: S"],
  ["STRU F  ", "200 File transfer structure set to: F."],
  ["TYPE I ", "200 Type set to: Binary."],
  ["REST 0 ", "350 Restarting at position 0."],
  ["PWD  ", '257 "/" is the current directory.'],
  ["NOOP  ", "200 I successfully did nothing."],
  ["EPSV  ", /^229 /],
  ["EPSV ALL ", "200 Other commands other than EPSV are now disabled."],
  ["SITE UMASK 022 ", "200 UMASK set to 0022."],
  ["HELP NOOP ", /^214 /],
  ["MODE  ", NEEDS_ARGUMENT],
  ["CDUP x ", TAKES_NONE],
  ["MODE S x ", "501 Unrecognized MODE type."],
  ["MKD dir ", '257 "/dir " directory created.'],
  ["CDUP  ", '250 "/" is the current directory.'],
  ["CWD dir ", '250 "/dir " is the current directory.'],
  ["CDUP  ", '250 "/" is the current directory.'],
  ["SITE CHMOD 755 dir  ", "550 No such file or directory."],
  ["RMD dir  ", "550 No such file or directory."],
]);

testTranscript("Blanks behind the words of TLS are left out", [
  ["PBSZ 0 ", "200 PBSZ=0 successful."],
  ["PROT P ", "200 Protection set to Private"],
  ["AUTH TLS ", "503 Already using TLS."],
], { username: null, protections: ["explicit"] });

testTranscript("Blanks behind a name of a user and a password belong to them", [
  ["USER user ", "331 Username ok, send password."],
  ["PASS 12345", "530 Authentication failed."],
  ["USER user", "331 Username ok, send password."],
  ["PASS 12345 ", "530 Authentication failed."],
  ["USER user", "331 Username ok, send password."],
  ["PASS 12345", "230 Login successful."],
], { username: null, server: { timeouts: { failedLogin: 0 }, limits: { loginAttempts: 0 } } });

testTranscript("Telnet noise before a command is dropped", [
  [{ bytes: "\xf4\xff\xf2ABOR\r\n" }, "225 No transfer to abort."],
  [{ bytes: "\xff\xf4\xff\xf2ABOR\r\n" }, "225 No transfer to abort."],
  [{ bytes: "\xff\xf4\xffABOR\r\n" }, "225 No transfer to abort."],
  [{ bytes: "\xff\xf4\xff\xf2STAT\r\n" }, /^211-FTP server status:\n/],
  [{ bytes: "\xf4\xff\xf2QUIT\r\n" }, "221 Goodbye.", CLOSED],
]);

testTranscript("A line that is too long gets one reply", [
  ["x".repeat(5000), "500 Command too long."],
  ["NOOP", "200 I successfully did nothing."],
]);

testTranscript("Lines that end in a bare LF are lines, too", [
  [{ bytes: "NOOP\nSYST\r\n" }, "200 I successfully did nothing.", "215 UNIX Type: L8"],
]);

testTranscript("Arguments are counted before anything else is asked", [
  ["RETR", NEEDS_ARGUMENT],
  ["SITE", NEEDS_ARGUMENT],
  ["SITE CHMOD", NEEDS_ARGUMENT],
  ["CDUP x", TAKES_NONE],
  ["PASV x", TAKES_NONE],
  ["QUIT now", TAKES_NONE],
  ["LIST", LOGIN_FIRST],
  ["RETR x", LOGIN_FIRST],
  ["XPWD", LOGIN_FIRST],
  ["XMKD x", LOGIN_FIRST],
  ["ABOR", LOGIN_FIRST],
  ["REIN", LOGIN_FIRST],
  ["TYPE I", LOGIN_FIRST],
  ["SITE CHMOD 600 x", LOGIN_FIRST],
  ["STAT /", LOGIN_FIRST],
], { username: null });

testTranscript("Some commands work before the login", [
  ["NOOP", "200 I successfully did nothing."],
  ["SYST", "215 UNIX Type: L8"],
  ["FEAT", /^211-Features supported:\n/],
  ["HELP", /^214-The following commands are recognized:\n/],
  ["SITE HELP", /^214-The following SITE commands are recognized:\n/],
  ["STAT", /^211-FTP server status:\n.*\n Waiting for username\.\n/],
  ["OPTS UTF8 ON", "200 Always in UTF8 mode."],
  ["QUIT", "221 Goodbye.", CLOSED],
], { username: null });

testTranscript("Rights are asked for before files are looked for", [
  ["DELE nothing", "550 Not enough privileges."],
  ["STOR new", "550 Not enough privileges."],
  ["APPE file", "550 Not enough privileges."],
  ["MKD new", "550 Not enough privileges."],
  ["RMD dir", "550 Not enough privileges."],
  ["RNFR file", "550 Not enough privileges."],
  ["SITE CHMOD 600 file", "550 Not enough privileges."],
  ["MFMT 20010203040506 file", "550 Not enough privileges."],
], { username: "anonymous" });

testTranscript("Errors of the file system have their texts", [
  ["CWD nothing", "550 No such file or directory."],
  ["CWD file", "550 Not a directory."],
  ["DELE nothing", "550 No such file or directory."],
  ["DELE dir", "550 Is a directory."],
  ["MKD dir", "550 File exists."],
  ["RMD dir", "550 Directory not empty."],
  ["RMD file", "550 Not a directory."],
  ["RETR nothing", "550 No such file or directory."],
]);
