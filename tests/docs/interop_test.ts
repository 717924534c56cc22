/**
 * docs/interop.md, and the tests that hold what it says.
 */

import { assert, assertEquals } from "@std/assert";
import { requireProgram } from "../helpers/run_program.ts";

const ROOT = new URL("../../", import.meta.url);
const PAGE = new URL("docs/interop.md", ROOT);
const NAMES_PROGRAM = new URL("tests/helpers/test_names.ts", ROOT).pathname;

/** What holds each row of the page: tests by file, from `tests/`, and beginning of the name; or why there is none. */
const PROOFS: Readonly<Record<string, string | Readonly<Record<string, readonly string[]>>>> = {
  T1: {
    "soak/upload_ending_tls13_test.ts": ['STOR over TLSv1.3, ended by "close_notify"', "STOR over TLSv1.3, resumed"],
  },
  T1a: {
    "soak/upload_ending_tls13_test.ts": ['STOR over TLSv1.3, ended by "reset"'],
    "soak/tls_upload_ending_test.ts": ['An upload over TLSv1.3 ended by "reset"'],
  },
  T1b: {
    "soak/upload_ending_tls13_test.ts": [
      'STOR over TLSv1.3, ended by "fin", requireCloseNotify true',
      'STOR over TLSv1.3, ended by "fin", requireCloseNotify false',
    ],
  },
  T1c: {
    "soak/tls_upload_ending_test.ts": ['An upload over TLSv1.3 ended by "unwrap"'],
    "transport/node_tls_test.ts": ["NodeTlsTransport finish() behind an upload sends close_notify"],
  },
  T2: {
    "soak/session_resumption_test.ts": [
      "Python's unwrap() succeeds on 200 of 200 TLSv1.3",
      "Python's unwrap() succeeds on 200 of 200 TLSv1.2",
    ],
  },
  T3: {
    "security/starttls_injection_test.ts": [
      'AUTH closes the connection for "NOOP',
      "AUTH forgets the USER",
      "AUTH forgets the RNFR",
    ],
  },
  T4: { "e2e/traps_tls_test.ts": ["T4: clients that cannot resume", "T4: the refusal says what to do"] },
  T5: {
    "e2e/traps_tls_test.ts": ["T5: a session of another control connection"],
    "security/passive_port_stealing_test.ts": ["RETR serves the owner after an impostor"],
  },
  T6: "the runtime has no means to share ticket keys",
  T7: {
    "e2e/traps_tls_test.ts": ["T7: fifty transfers"],
    "soak/session_resumption_test.ts": ["50 data connections in a row resume the TLSv1.3"],
  },
  T8: { "e2e/traps_tls_test.ts": ["T8: a TLS 1.2 client without tickets"] },
  T9: { "e2e/traps_tls_test.ts": ["T9: TLS 1.2 has the extended master secret"] },
  T10: { "e2e/traps_tls_test.ts": ["T10: AUTH SSL"], "e2e/transcripts/tls_test.ts": ["AUTH ssl: explicit"] },
  T11: {
    "e2e/transcripts/tls_test.ts": ["PBSZ and PROT before the login: explicit"],
    "e2e/parameters_test.ts": ["PBSZ, PROT, AUTH and CCC follow the protection of the control connection: explicit"],
  },
  T12: {
    "e2e/traps_tls_test.ts": ["T12: implicit TLS protects data connections"],
    "e2e/transcripts/tls_test.ts": ["Protected transfers, passive and active: implicit"],
  },
  T13: {
    "e2e/transcripts/tls_test.ts": ["TLS required on the control connection"],
    "security/tls_policy_test.ts": ["USER in clear names the reason"],
  },
  T14: {
    "security/tls_policy_test.ts": ['TLS policy "required"'],
    "e2e/transcripts/tls_test.ts": ["TLS required on data connections"],
  },
  T15: {
    "e2e/parameters_test.ts": ["PBSZ, PROT, AUTH and CCC follow the protection of the control connection: explicit"],
  },
  T16: {
    "e2e/traps_tls_test.ts": ["T16: an upload that is closed before the handshake"],
    "transport/node_tls_test.ts": ["NodeTlsTransport receives an empty file"],
  },
  T17: {
    "e2e/active_test.ts": ["PORT keeps the server in the TLS server role"],
    "e2e/transcripts/tls_test.ts": ["Protected transfers, passive and active: explicit"],
  },
  T18: {
    "e2e/traps_tls_test.ts": ["T18: the handshake may begin before the command"],
    "security/tls_policy_test.ts": ["RETR gives up on a data connection of PROT P"],
  },
  T19: {
    "security/foreign_protocol_test.ts": ['"GET / HTTP/1.1" before TLS'],
    "security/tls_policy_test.ts": ["FtpServer refuses ALPN http/1.1 on explicit"],
  },
  T20: "it happens on the way",
  T21: {
    "e2e/traps_tls_test.ts": ["T21: a thousand commands"],
    "e2e/limits_test.ts": ["Clients that reset their connection at once"],
  },
  D1: {
    "e2e/passive_test.ts": ["EPSV opens a port in the family of the control connection"],
    "e2e/transcripts/data_connections_test.ts": ["PASV and EPSV announce a port"],
  },
  D2: {
    "e2e/passive_test.ts": ["PASV announces the configured address"],
    "check/network_findings_test.ts": ['findNetworkWarnings() finds 1 in "listen: [{ host: 203.0.113.7 }]'],
  },
  D3: {
    "e2e/passive_test.ts": ["PASV and EPSV reply 425 when every port"],
    "e2e/transcripts/data_connections_test.ts": ["EPSV over IPv6"],
  },
  D4: {
    "check/network_findings_test.ts": [
      'findNetworkWarnings() finds 1 in "passive: { ports: 5000-5100 }"',
      'findNetworkWarnings() finds 1 in "passive: { ports: 6600-6700 }"',
    ],
  },
  D5: {
    "e2e/traps_data_test.ts": [
      "D5: a passive port is closed by a second EPSV",
      "D5: a passive port takes one connection",
    ],
  },
  D6: {
    "security/passive_port_stealing_test.ts": [
      "RETR serves the owner after an impostor",
      "STOR takes nothing from an impostor",
    ],
    "data/port_pool_test.ts": ["PortPool.lend() begins anywhere"],
  },
  D7: { "e2e/traps_data_test.ts": ["D7: the data connection may come before the command"] },
  D8: {
    "transport/node_control_test.ts": ["ControlTransport is probed after a minute of silence"],
    "e2e/during_transfer_test.ts": ["Replies come at once while a client does not read its download: explicit"],
  },
  D9: {
    "e2e/traps_data_test.ts": ["D9: each command gets one reply"],
    "e2e/pipelining_test.ts": ["A hundred commands behind a transfer wait"],
  },
  D10: {
    "e2e/atomic_upload_test.ts": ["upload { atomic: true, sync: true } decides how a file is opened and finished"],
    "e2e/during_transfer_test.ts": ["Replies come at once while a client does not read its download: explicit"],
  },
  D11: {
    "e2e/traps_data_test.ts": [
      "D11: 226 comes to a client that has not read",
      "D11: 226 comes to a client that keeps its end",
    ],
  },
  D12: {
    "e2e/transfer_test.ts": [
      "RETR and STOR announce the data connection with 150",
      "RETR tells how many bytes will come",
    ],
  },
  D13: {
    "e2e/abort_test.ts": ["ABOR is understood with Telnet IP and Synch", "ABOR is understood as urgent data"],
    "e2e/transcripts/command_line_test.ts": ["Telnet noise before a command"],
  },
  D14: { "security/bounce_test.ts": ["PORT and EPRT are off by default", "PORT and EPRT refuse the foreign address"] },
  D15: { "e2e/traps_data_test.ts": ["D15: active connections come from any port"] },
  D16: {
    "transport/node_control_test.ts": ["ControlTransport is probed after a minute of silence"],
    "e2e/deadlines_test.ts": ["A transfer may take longer than the data time"],
  },
  D17: { "e2e/traps_data_test.ts": ["D17: a PROXY header"] },
  D18: "it takes several hosts",
  C1: {
    "protocol/reply_property_test.ts": [
      "formatReply() has no line between that begins with a digit",
      "formatReply() is read as exactly one reply",
    ],
  },
  C2: { "e2e/information_test.ts": ["FEAT lists the features sorted, one on each line behind a space: explicit"] },
  C3: {
    "commands/listing_property_test.ts": ["MLSD is read back by the grammar of RFC 3659"],
    "protocol/fact_formatter_property_test.ts": ["FactFormatter.format() and a name are read back"],
    "security/reply_injection_test.ts": ["Listings leave out names with CR or LF"],
  },
  C4: {
    "commands/listing_property_test.ts": ["LIST is read back by clients that know ls -l"],
    "protocol/unix_listing_property_test.ts": [
      "ListLineFormatter.format() is read back by a client, of the last half-year",
    ],
    "protocol/unix_listing_test.ts": ["ListLineFormatter.format() shows the year of times to come"],
  },
  C5: {
    "e2e/traps_commands_test.ts": ['C5: "NLST -CF /dir"', "C5: recursive listings"],
    "e2e/transcripts/information_test.ts": ["STAT with a path lists"],
  },
  C6: {
    "e2e/transcripts/listings_test.ts": ["An empty directory is listed by no bytes", "What is missing is told before"],
  },
  C7: { "e2e/transcripts/listings_test.ts": ["NLST shows names", "LIST shows a directory sorted by name"] },
  C8: { "e2e/transcripts/listings_test.ts": ["MLSD shows facts sorted by name", "MLST shows one path in full"] },
  C9: {
    "filesystem/local/local_filesystem_test.ts": ["LocalFileSystem.list() leaves out what cannot be sent"],
    "e2e/encoding_test.ts": ["Names are sent and received in the server's encoding"],
  },
  C9a: {
    "security/path_traversal_test.ts": ["RETR never leaves the home"],
    "soak/link_oracle_test.ts": ["No command tells what a link out of the home leads to"],
    "security/containment_test.ts": ["LocalFileSystem.removeDirectory() is not kept by links"],
    "e2e/table_walk_paths_test.ts": ["Every command that takes a path stays inside the root"],
  },
  C10: {
    "e2e/traps_commands_test.ts": ["C10: OPTS UTF8 is answered by 200"],
    "e2e/encoding_test.ts": ["A client that asks for UTF-8 gets it"],
  },
  C11: {
    "e2e/transcripts/information_test.ts": ["OPTS MLST chooses facts"],
    "protocol/facts_property_test.ts": ["parseFactSelection() reads what a client writes"],
  },
  C12: { "e2e/transcripts/commands_test.ts": ["SIZE: explicit"], "e2e/traps_commands_test.ts": ["C12: SIZE in ASCII"] },
  C13: {
    "e2e/transcripts/commands_test.ts": ["REST and RETR", "REST and STOR"],
    "e2e/restart_test.ts": ["REST 0 takes a marker back"],
  },
  C14: { "e2e/transcripts/commands_test.ts": ["TYPE: explicit"] },
  C15: { "e2e/transcripts/commands_test.ts": ["MODE and STRU", "ALLO takes whatever"] },
  C16: {
    "e2e/files_test.ts": ["MDTM and MFMT read and set", "MDTM with a time sets that", "SITE UTIME sets the time"],
  },
  C17: { "e2e/traps_commands_test.ts": ["C17: a camera may make its folders"] },
  C18: { "e2e/traps_commands_test.ts": ["C18: harmless questions"] },
  C19: {
    "e2e/names_test.ts": [
      'A name is taken and listed as it is: " leading"',
      'A name is taken and listed as it is: "~user"',
    ],
    "protocol/command_line_property_test.ts": ["parseCommandLine() returns the argument to the letter"],
  },
  C20: {
    "filesystem/local/host_path_test.ts": [
      "isAllowedName() refuses what Windows reads as something else",
      "namesWithin() compares Windows paths",
    ],
  },
  C21: {
    "e2e/lines_test.ts": [
      "A bare LF ends a line",
      "NUL and bytes that are no UTF-8",
      "A line over the limit gets one 500",
    ],
    "security/starttls_injection_test.ts": ['AUTH closes the connection for "\\n"'],
  },
  C22: { "e2e/during_transfer_test.ts": ["QUIT is answered at once", "QUIT lets an upload end"] },
  C23: {
    "e2e/limits_test.ts": ["A client too many is greeted with 421", "A client too many is closed without a word"],
    "e2e/shutdown_test.ts": ["shutdown() says 421 to idle clients"],
  },
  C24: { "e2e/traps_commands_test.ts": ['C24: the name "two words"', 'C24: the name "DOMAIN\\user"'] },
  C25: {
    "security/login_test.ts": ["PASS answers alike for an unknown user"],
    "e2e/transcripts/login_test.ts": ["PASS without USER"],
  },
  C26: {
    "e2e/transcripts/commands_test.ts": ["RNFR and RNTO"],
    "e2e/files_test.ts": ["RNTO replaces a file, not a directory"],
  },
  C27: { "e2e/transcripts/commands_test.ts": ["DELE: explicit", "MKD and RMD: explicit"] },
  C28: {
    "e2e/traps_commands_test.ts": ["C28: a link to a file is listed as that"],
    "e2e/links_test.ts": ["A client that removes a tree leaves what a link in it leads to as it is"],
    "interop/links_test.ts": ["lftp"],
  },
  C28a: { "e2e/links_test.ts": ["What is behind links is reached by its name"] },
  C28b: {
    "e2e/files_test.ts": ["MDTM and MFMT read and set the time of files and directories"],
    "e2e/listing_test.ts": ["MLSD shows the directory first"],
  },
  C29: {
    "e2e/wildcard_test.ts": ["NLST, LIST and STAT list what a pattern matches"],
    "security/wildcard_test.ts": ["A hostile pattern"],
  },
  C30: {
    "e2e/encoding_test.ts": ["The letter whose byte is Telnet's IAC"],
    "protocol/line_decoder_test.ts": ["LineDecoder.push() takes a doubled 0xFF"],
  },
};

async function readIds(): Promise<readonly string[]> {
  const lines = (await Deno.readTextFile(PAGE)).split("\n");
  return lines.flatMap((line) => {
    const [, id, ...cells] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (id === undefined || !/^[A-Z]\d+[a-z]?$/.test(id)) return [];
    const [clients = "", server = ""] = cells;
    assert(cells.length === 3 && clients !== "" && server !== "", `Row ${id} has an empty cell`);
    return id;
  });
}

/** The names of the tests in files, by file. */
async function readTestNames(files: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const urls = files.map((file) => new URL(`tests/${file}`, ROOT).href);
  const output = await requireProgram(Deno.execPath(), ["run", "-A", "--no-check", NAMES_PROGRAM, ...urls]);
  const names: Record<string, string[]> = JSON.parse(output);
  return new Map(files.map((file, index) => [file, names[urls[index] ?? ""] ?? []]));
}

Deno.test("docs/interop.md has one row for each trap, by numbers without a gap", async () => {
  const ids = await readIds();
  assertEquals(ids, Object.keys(PROOFS));
  for (const letter of ["T", "D", "C"]) {
    const numbers = ids.filter((id) => new RegExp(`^${letter}\\d+$`).test(id)).map((id) => Number(id.slice(1)));
    assertEquals(numbers, numbers.map((_, index) => index + 1), letter);
    assert(numbers.length > 15, `Only ${numbers.length} rows of ${letter} were found`);
  }
});

Deno.test("Each row of docs/interop.md has a test, or a reason why there is none", async () => {
  const proofs = Object.entries(PROOFS).flatMap(([id, tests]) =>
    Object.entries(typeof tests === "string" ? {} : tests).map(([file, beginnings]) => ({ id, file, beginnings }))
  );
  const names = await readTestNames([...new Set(proofs.map(({ file }) => file))]);
  const missing = proofs.flatMap(({ id, file, beginnings }) =>
    beginnings.filter((beginning) => !names.get(file)?.some((name) => name.startsWith(beginning)))
      .map((beginning) => `${id}: ${file} has no test "${beginning}"`)
  );
  assertEquals(missing, []);
});

Deno.test("Each test that is named after a row of docs/interop.md is a proof of it", async () => {
  const files = ["tls", "data", "commands"].map((part) => `e2e/traps_${part}_test.ts`);
  const names = await readTestNames(files);
  for (const file of files) {
    const ids = [...new Set(names.get(file)?.map((name) => name.split(":")[0] ?? ""))];
    assert(ids.length > 0, `${file} has no tests`);
    for (const id of ids) assert(Object.hasOwn(Object(PROOFS[id]), file), `${id} does not name ${file}`);
  }
});
