import { CLOSED, DATA_CLOSED, NOTHING, OPENED, testTranscript } from "../../helpers/transcript.ts";

const OKAY = "150 File status okay. About to open data connection.";
const DONE = "226 Transfer complete.";
const CONNECTED = "200 Active data connection established.";
const CLOSED_CHANNEL = "225 ABOR command successful; data channel closed.";
const PASSIVE = /^227 Entering Passive Mode \(127,0,0,1,\d{1,3},\d{1,3}\)\.$/;
const EXTENDED_PASSIVE = /^229 Entering Extended Passive Mode \(\|\|\|\d{1,5}\|\)$/;
const WRONG_FAMILY = "522 Network protocol not supported, use (1).";
const NO_PORT_FORMAT = "501 Invalid PORT format.";
const NO_EPRT_FORMAT = "501 Invalid EPRT format.";

testTranscript("PASV and EPSV announce a port", [
  ["PASV", PASSIVE],
  ["EPSV", EXTENDED_PASSIVE],
  ["EPSV 1", EXTENDED_PASSIVE],
  ["EPSV 2", WRONG_FAMILY],
  ["EPSV 3", "522 Network protocol not supported, use (1,2)."],
  ["RETR file", OKAY, { receives: "0123456789" }, DONE],
]);

testTranscript("EPSV over IPv6", [
  ["EPSV", EXTENDED_PASSIVE],
  ["EPSV 2", EXTENDED_PASSIVE],
  ["EPSV 1", "522 Network protocol not supported, use (2)."],
  ["EPSV 3", "522 Network protocol not supported, use (1,2)."],
  ["RETR file", OKAY, { receives: "0123456789" }, DONE],
  ["EPRT {EPRT}", CONNECTED],
  ["RETR file", OKAY, { receives: "0123456789" }, DONE],
  ["EPRT |1|127.0.0.1|2222|", "522 Network protocol not supported, use (2)."],
  ["PORT 127,0,0,1,8,174", /^501 /],
], { host: "::1" });

testTranscript("EPSV ALL forbids the others for good", [
  ["EPSV ALL", "200 Other commands other than EPSV are now disabled."],
  ["PASV", "501 PASV not allowed after EPSV ALL."],
  ["PORT 127,0,0,1,8,174", "501 PORT not allowed after EPSV ALL."],
  ["EPRT |1|127.0.0.1|2222|", "501 EPRT not allowed after EPSV ALL."],
  ["RETR file", OKAY, { receives: "0123456789" }, DONE],
  ["PASV", "501 PASV not allowed after EPSV ALL."],
]);

testTranscript("PORT and EPRT answer once the connection stands", [
  ["PORT {PORT}", CONNECTED],
  ["RETR file", OKAY, { receives: "0123456789" }, DONE],
  ["EPRT {EPRT}", CONNECTED],
  ["STOR new", OKAY, { sends: "abc" }, DONE],
  ["PORT {CLOSED_PORT}", "425 Can't connect to specified address."],
  ["EPRT {CLOSED_EPRT}", "425 Can't connect to specified address."],
]);

testTranscript("PORT wants six numbers", [
  ["PORT 127,0,0,1,1.1", NO_PORT_FORMAT],
  ["PORT X,0,0,1,1,1", NO_PORT_FORMAT],
  ["PORT 127,0,0,1,1,1,1", NO_PORT_FORMAT],
  ["PORT 127,0,0,1", NO_PORT_FORMAT],
  ["PORT 256,0,0,1,1,1", NO_PORT_FORMAT],
  ["PORT 127,0,0,1,256,1", NO_PORT_FORMAT],
  ["PORT 127,0,0,1,-1,0", NO_PORT_FORMAT],
]);

testTranscript("EPRT wants three fields", [
  ["EPRT ", "501 Syntax error: command needs an argument."],
  ["EPRT 1", NO_EPRT_FORMAT],
  ["EPRT |", NO_EPRT_FORMAT],
  ["EPRT |||", NO_EPRT_FORMAT],
  ["EPRT ||||", NO_EPRT_FORMAT],
  ["EPRT |1|127.0.0.1|", NO_EPRT_FORMAT],
  ["EPRT |1|127.0.0.1|65536|", NO_EPRT_FORMAT],
  ["EPRT |1|1.2.3|2222|", NO_EPRT_FORMAT],
  ["EPRT |1|127.0.0.1|2222|2222|", NO_EPRT_FORMAT],
  ["EPRT |3|127.0.0.1|2222|", "522 Network protocol not supported, use (1,2)."],
  ["EPRT |2|::1|2222|", WRONG_FAMILY],
  ["EPRT |2|not an address|2222|", WRONG_FAMILY],
]);

testTranscript("PORT and EPRT refuse foreign addresses, then privileged ports", [
  ["PORT 127,0,0,2,8,174", "501 Rejected data connection to foreign address 127.0.0.2:2222."],
  ["PORT 127,0,0,2,0,21", "501 Rejected data connection to foreign address 127.0.0.2:21."],
  ["PORT 127,0,0,1,0,21", '501 PORT against the privileged port "21" refused.'],
  ["EPRT |1|127.0.0.2|2222|", "501 Rejected data connection to foreign address 127.0.0.2:2222."],
  ["EPRT |1|127.0.0.1|21|", /^501 \w+ against the privileged port "21" refused\.$/],
]);

testTranscript("Each of PASV, EPSV, PORT and EPRT replaces what was before", [
  OPENED,
  ["PASV", PASSIVE, DATA_CLOSED],
  OPENED,
  ["PORT {PORT}", CONNECTED, DATA_CLOSED],
  ["PORT {PORT}", CONNECTED],
  ["EPRT {EPRT}", CONNECTED],
  ["RETR file", OKAY, { receives: "0123456789" }, DONE],
]);

testTranscript("ABOR with and without a data connection", [
  ["ABOR", "225 No transfer to abort."],
  ["PASV", PASSIVE],
  ["ABOR", CLOSED_CHANNEL],
  ["ABOR", "225 No transfer to abort."],
  OPENED,
  ["ABOR", CLOSED_CHANNEL],
  ["PORT {PORT}", CONNECTED],
  ["ABOR", CLOSED_CHANNEL],
  ["RETR file", OKAY, { receives: "0123456789" }, DONE],
  ["ABOR", "225 No transfer to abort."],
  ["PORT {PORT}", CONNECTED],
  ["RETR file", OKAY, { receives: "0123456789" }, DONE],
]);

testTranscript("A silent control connection is closed", [
  [NOTHING, "421 Control connection timed out.", CLOSED],
], { server: { timeouts: { idle: 0.5 } } });

testTranscript("A passive port waits for a time", [
  ["EPSV", EXTENDED_PASSIVE],
  ["RETR file", OKAY, "425 Passive data channel timed out."],
  ["NOOP", "200 I successfully did nothing."],
], { server: { timeouts: { passive: 0.1 } } });

testTranscript("A data connection without a transfer ends the session after a time", [
  OPENED,
  [NOTHING, "421 Data connection timed out.", CLOSED],
], { server: { timeouts: { data: 0.1 } } });

testTranscript("A data connection that stands still ends the session after a time", [
  OPENED,
  ["STOR new", OKAY, "421 Data connection timed out.", CLOSED],
], { protections: ["clear"], server: { timeouts: { data: 0.5 } } });

testTranscript("A time of 0 never ends", [
  OPENED,
  ["RETR file", OKAY, { receives: "0123456789" }, DONE],
], { server: { timeouts: { idle: 0, login: 0, data: 0, passive: 0, active: 0, handshake: 0 } } });
