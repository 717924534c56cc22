import { MemoryFileSystem } from "../../../lib/filesystem/memory/memory_filesystem.ts";
import { VirtualAuthorizer } from "../../../lib/server/virtual_authorizer.ts";
import { CLOSED, OPENED, type Step, testTranscript } from "../../helpers/transcript.ts";

const NAME_OKAY = "331 Username ok, send password.";
const FLUSHED = "331 Previous account information was flushed, send password.";
const LOGGED_IN = "230 Login successful.";
const FAILED = "530 Authentication failed.";
const LOGIN_FIRST = "530 Log in with USER and PASS first.";

testTranscript("USER and PASS", [
  ["USER user", NAME_OKAY],
  ["PASS 12345", LOGGED_IN],
  ["PASS 12345", "503 User already authenticated."],
], { username: null });

testTranscript("PASS without USER", [
  ["PASS 12345", "503 Login with USER first."],
  ["USER nobody", NAME_OKAY],
  ["PASS 12345", FAILED],
  ["PASS 12345", "503 Login with USER first."],
], { username: null });

testTranscript("anonymous logs in with any password or none, in any case, and as ftp", [
  ["USER Anonymous", NAME_OKAY],
  ["PASS x", LOGGED_IN],
  ["USER ftp", FLUSHED],
  ["PASS x", LOGGED_IN],
  ["STAT", /\n Logged in as: anonymous\n/],
  ["USER anonymous", FLUSHED],
  ["PASS", LOGGED_IN],
  ["USER anonymous", FLUSHED],
  ["PASS me@example.org", LOGGED_IN],
  ["USER anonymous", FLUSHED],
  ["PASS ", LOGGED_IN],
], { username: null });

testTranscript("The third failure ends the connection", [
  ["USER user", NAME_OKAY],
  ["PASS wrong", FAILED],
  ["USER user", NAME_OKAY],
  ["PASS wrong", FAILED],
  ["USER user", NAME_OKAY],
  ["PASS wrong", "530 Authentication failed. Disconnecting.", CLOSED],
], { username: null });

testTranscript("A success lets failures be counted anew", [
  ...[1, 2].flatMap((): Step[] => [
    ["USER user", /^331 /],
    ["PASS wrong", FAILED],
    ["USER user", /^331 /],
    ["PASS wrong", FAILED],
    ["USER user", /^331 /],
    ["PASS 12345", LOGGED_IN],
  ]),
], { username: null });

testTranscript("anonymous is told where nobody may be that", [
  ["USER anonymous", NAME_OKAY],
  ["PASS", "530 Anonymous access not allowed."],
  ["PASS", "503 Login with USER first."],
], { username: null, server: { authorizer: new VirtualAuthorizer() } });

const LINE = "A line of seventy-five characters is the longest that is sent as one reply.";

testTranscript("Messages that are longer than a line are sent as two, the second empty", [
  ["USER short", NAME_OKAY],
  ["PASS 12345", `230 ${LINE}`],
  ["USER long", FLUSHED],
  ["PASS 12345", `230-${LINE}.\n230 `],
  ["QUIT", `221-${LINE}.\n221 `, CLOSED],
], { username: null, server: { authorizer: withMessages() } });

function withMessages(): VirtualAuthorizer {
  const authorizer = new VirtualAuthorizer();
  for (const [name, message] of [["short", LINE], ["long", `${LINE}.`]] as const) {
    const messages = { loginMessage: message, quitMessage: message };
    authorizer.addUser(name, "12345", new MemoryFileSystem(), messages);
  }
  return authorizer;
}

testTranscript("USER logs out, and lets another user in", [
  ["TYPE I", /^200 /],
  ["CWD dir", /^250 /],
  ["USER anonymous", FLUSHED],
  ["PWD", LOGIN_FIRST],
  ["PASS", LOGGED_IN],
  ["PWD", '257 "/" is the current directory.'],
  ["STAT", /\n Logged in as: anonymous\n TYPE: Binary; /],
  ["MKD new", "550 Not enough privileges."],
]);

testTranscript("REIN logs out, and forgets RNFR and the data connection", [
  ["RNFR file", /^350 /],
  OPENED,
  ["REIN", "230 Ready for new user."],
  ["PWD", LOGIN_FIRST],
  ["RNTO new", LOGIN_FIRST],
  ["USER user", NAME_OKAY],
  ["PASS 12345", LOGGED_IN],
  ["RNTO new", "503 Bad sequence of commands: use RNFR first."],
  ["ABOR", "225 No transfer to abort."],
]);

testTranscript("REIN keeps EPSV ALL and the facts of OPTS MLST", [
  ["EPSV ALL", /^200 /],
  ["OPTS MLST size;", /^200 /],
  ["REIN", "230 Ready for new user."],
  ["USER user", NAME_OKAY],
  ["PASS 12345", LOGGED_IN],
  ["MLST file", '250-Listing "/file":\n size=10; /file\n250 End MLST.'],
  ["PASV", "501 PASV not allowed after EPSV ALL."],
]);

testTranscript("QUIT says the user's goodbye", [["QUIT", "221 Goodbye.", CLOSED]]);
