import { type Step, testTranscript, type TranscriptOptions } from "../../helpers/transcript.ts";

const CLEAR_CONTROL = "550 SSL/TLS required on the control channel.";
const CLEAR_DATA = "550 SSL/TLS required on the data channel.";
const OKAY = "150 File status okay. About to open data connection.";
const DONE = "226 Transfer complete.";
const BUFFER_SIZE_FIRST = "503 You must issue the PBSZ command prior to PROT.";
const LOGIN: readonly Step[] = [["USER user", /^331 /], ["PASS 12345", "230 Login successful."]];

/** A client that has not said AUTH yet, on a server with the policy. */
function inClear(policy: "required" | "control" | "optional"): TranscriptOptions {
  return { username: null, protections: ["explicit"], startsClear: true, server: { tls: { policy } } };
}

/** A client that has said AUTH, and no more. */
function inTls(policy: "required" | "control" | "optional"): TranscriptOptions {
  return { username: null, protections: ["explicit"], server: { tls: { policy } } };
}

testTranscript("AUTH before the login", [
  ["AUTH TLS", "234 AUTH TLS successful."],
  ["AUTH TLS", "503 Already using TLS."],
  ["AUTH KERBEROS_V4", "503 Already using TLS."],
  ...LOGIN,
], inClear("optional"));

testTranscript("AUTH after the login keeps it", [
  ...LOGIN,
  ["AUTH SSL", "234 AUTH SSL successful."],
  ["PWD", '257 "/" is the current directory.'],
], inClear("optional"));

for (const mechanism of ["TLS", "TLS-C", "SSL", "TLS-P", "tls", "ssl"]) {
  testTranscript(`AUTH ${mechanism}`, [
    [`AUTH ${mechanism}`, `234 AUTH ${mechanism.toUpperCase()} successful.`],
    ["NOOP", /^200 /],
  ], inClear("required"));
}

testTranscript("AUTH of another mechanism", [
  ["AUTH KERBEROS_V4", "504 Unrecognized encryption type (use TLS or SSL)."],
  ["NOOP", /^200 /],
], inClear("required"));

testTranscript("PBSZ and PROT in clear", [
  ["PBSZ 0", "503 PBSZ not allowed on insecure control connection."],
  ["PROT P", "503 PROT not allowed on insecure control connection."],
], inClear("required"));

testTranscript("PBSZ and PROT before the login", [
  ["PROT P", BUFFER_SIZE_FIRST],
  ["PBSZ 0", "200 PBSZ=0 successful."],
  ["PBSZ 4096", "200 PBSZ=0 successful."],
  ["PROT P", "200 Protection set to Private"],
  ["PROT C", "200 Protection set to Clear"],
  ["PROT S", "521 PROT S unsupported (use C or P)."],
  ["PROT E", "521 PROT E unsupported (use C or P)."],
  ["PROT W", "504 Unrecognized PROT type (use C or P)."],
], inTls("control"));

testTranscript("REIN takes PBSZ and PROT back", [
  ...LOGIN,
  ["PBSZ 0", /^200 /],
  ["PROT P", /^200 /],
  ["PASV", /^227 /],
  ["REIN", "230 Ready for new user."],
  ...LOGIN,
  ["PASV", CLEAR_DATA],
  ["PROT P", BUFFER_SIZE_FIRST],
], inTls("required"));

testTranscript("USER keeps PBSZ and PROT", [
  ...LOGIN,
  ["PBSZ 0", /^200 /],
  ["PROT P", /^200 /],
  ["USER user", /^331 /],
  ...LOGIN.slice(1),
  ["PASV", /^227 /],
  ["PROT P", /^200 /],
], inTls("required"));

testTranscript("TLS required on the control connection: a password is never asked for", [
  ["USER user", CLEAR_CONTROL],
  ["PASS 12345", CLEAR_CONTROL],
  ["NOOP", "200 I successfully did nothing."],
  ["FEAT", /^211-[^]*\n AUTH SSL\n AUTH TLS\n[^]*\n PBSZ\n PROT\n/],
  ["AUTH TLS", "234 AUTH TLS successful."],
  ...LOGIN,
], inClear("required"));

testTranscript("TLS required on data connections: no port is opened for a clear one", [
  ...LOGIN,
  ["PASV", CLEAR_DATA],
  ["EPSV", CLEAR_DATA],
  ["PORT 127,0,0,1,8,174", CLEAR_DATA],
  ["EPRT |1|127.0.0.1|2222|", CLEAR_DATA],
  ["PBSZ 0", /^200 /],
  ["PROT P", /^200 /],
  ["PASV", /^227 /],
], inTls("required"));

testTranscript("Protected transfers, passive and active", [
  ["PBSZ 0", /^200 /],
  ["RETR file", OKAY, { receives: "0123456789" }, DONE],
  ["STOR new", OKAY, { sends: "over TLS" }, DONE],
  ["PORT {PORT}", "200 Active data connection established."],
  ["RETR new", OKAY, { receives: "over TLS" }, DONE],
  ["EPRT {EPRT}", "200 Active data connection established."],
  ["STOR newer", OKAY, { sends: "dialled by the server" }, DONE],
  ["RETR newer", OKAY, { receives: "dialled by the server" }, DONE],
], { protections: ["explicit", "implicit"] });
