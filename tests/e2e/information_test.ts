import { assert, assertEquals, assertMatch } from "@std/assert";
import { COMMANDS } from "../../lib/commands/table.ts";
import { assertDialogue } from "../helpers/dialogue.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { type Protection, TestServer } from "../helpers/test_server.ts";

const FEATURES: Readonly<Record<Protection, readonly string[]>> = {
  explicit: ["AUTH SSL", "AUTH TLS", "PBSZ", "PROT"],
  implicit: ["AUTH SSL", "AUTH TLS", "PBSZ", "PROT"],
  clear: [],
};

const ALWAYS = [
  "CLNT",
  "EPSV",
  "HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32",
  "HOST",
  "LANG EN*",
  "MDTM",
  "MFF modify;unix.mode;",
  "MFMT",
  "MLST type*;perm*;size*;modify*;unique*;unix.mode*;unix.uid*;unix.gid*;",
  "REST STREAM",
  "SIZE",
  "TVFS",
  "UTF8",
  "XCRC",
  "XMD5",
  "XSHA1",
  "XSHA256",
  "XSHA512",
];

for (const protection of ["explicit", "implicit", "clear"] as const) {
  Deno.test(`FEAT lists the features sorted, one on each line behind a space: ${protection}`, async () => {
    await using server = await TestServer.start({ protection });
    await using client = await server.connect();
    const features = [...FEATURES[protection], ...ALWAYS].sort().map((feature) => ` ${feature}\n`).join("");
    await assertDialogue(client, [["FEAT", `211-Features supported:\n${features}211 End FEAT.`]]);
  });
}

Deno.test("FEAT names EPRT where the server dials", async () => {
  await using server = await TestServer.start({ server: { active: { enabled: true } } });
  await using client = await server.connect();
  await assertDialogue(client, [["FEAT", /\n EPRT\n/]]);
});

Deno.test("HELP shows all names in rows of eight, sorted, without those of SITE", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  const { lines } = await client.expect(214, "HELP");
  assertEquals([lines[0], lines.at(-1)], ["The following commands are recognized:", "Help command successful."]);
  const rows = lines.slice(1, -1);
  const names = rows.flatMap((row) => row.trim().split(/ +/));
  assertEquals(names, names.toSorted());
  assert(names.includes("XCWD") && names.includes("RETR") && !names.includes("CHMOD"));
  for (const row of rows) assertMatch(row, /^( [A-Z]{3,4}[0-9 ]*){1,8}$/);
  for (const row of rows.slice(0, -1)) assertEquals(row.trim().split(/ +/).length, 8);
});

Deno.test("HELP shows the syntax of every command, in any case", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  for (const { verb, help } of COMMANDS) {
    await assertDialogue(client, [[`HELP ${verb.toLowerCase()}`, `214 Syntax: ${help}`]]);
  }
  await assertDialogue(client, [
    ["HELP XPWD", "214 Syntax: PWD (show the current directory)"],
    ["HELP nonsense", "501 Unrecognized command."],
  ]);
});

Deno.test("SITE HELP shows the SITE commands, or the syntax of one", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  const chmod = "214 Syntax: SITE CHMOD <SP> mode <SP> path (set permission bits, octal)";
  await assertDialogue(client, [
    [
      "SITE HELP",
      "214-The following SITE commands are recognized:\n CHMOD\n HELP\n PSWD\n QUOTA\n UMASK\n UTIME\n214 Help SITE command successful.",
    ],
    ["SITE HELP chmod", chmod],
    ["SITE HELP SITE CHMOD", chmod],
    ["site help HELP", /^214 Syntax: SITE HELP /],
    ["SITE HELP nonsense", "501 Unrecognized SITE command."],
  ]);
});

Deno.test("Unknown commands reply 500 with their name in capitals", async () => {
  await using server = await TestServer.start();
  await using client = await server.login();
  await assertDialogue(client, [
    ["XYZ a", '500 Command "XYZ" not understood.'],
    ["xyz", '500 Command "XYZ" not understood.'],
    ["", '500 Command "" not understood.'],
    [" NOOP", '500 Command "" not understood.'],
    ["SITE FOO", '500 Command "SITE FOO" not understood.'],
    ["SITEFOO", '500 Command "SITEFOO" not understood.'],
    ["SMNT x", '500 Command "SMNT" not understood.'],
    ["a\x1b[31m\tb", "500 Command not understood."],
    ["PASS\tsecret", "500 Command not understood."],
  ]);
});

Deno.test("ACCT, LANG and HOST are answered as there is one account, one language and one host", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  await assertDialogue(client, [
    ["ACCT x", "202 No account information is needed."],
    ["LANG", "200 Replies are in English."],
    ["LANG en", "200 Replies are in English."],
    ["LANG EN-GB", "200 Replies are in English."],
    ["LANG fr", "504 Replies are in English only."],
    ["LANG enx", "504 Replies are in English only."],
    ["HOST ftp.example.com", "220 Host accepted."],
    ["HOST münchen.example", "220 Host accepted."],
    ["HOST 192.0.2.1", "220 Host accepted."],
    ["HOST [2001:db8::1]", "220 Host accepted."],
    ["HOST a b", "501 Invalid host name."],
    ["HOST -a", "501 Invalid host name."],
    ["USER user", /^331 /],
    ["HOST ftp.example.com", "503 HOST must come before USER."],
    ["PASS 12345", /^230 /],
    ["HOST ftp.example.com", "503 HOST must come before USER."],
  ]);
});

Deno.test("NOOP, SYST and CLNT answer before the login too", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  await assertDialogue(client, [
    ["NOOP", "200 I successfully did nothing."],
    ["NOOP ", "200 I successfully did nothing."],
    ["SYST", "215 UNIX Type: L8"],
    ["CLNT FileZilla", "200 Noted."],
  ]);
});

Deno.test("STAT shows the state of the session", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  const state = (login: string, type: string, data: string) =>
    `211-FTP server status:\n Connected to: 127.0.0.1:${server.port}\n ${login}\n` +
    ` TYPE: ${type}; STRUcture: File; MODE: Stream\n ${data}\n211 End of status.`;
  const closed = "Data connection closed.";
  await assertDialogue(client, [
    ["STAT", state("Waiting for username.", "ASCII", closed)],
    ["USER user", /^331 /],
    ["STAT", state("Waiting for password.", "ASCII", closed)],
    ["PASS 12345", /^230 /],
    ["TYPE I", /^200 /],
    ["STAT", state("Logged in as: user", "Binary", closed)],
    ["PBSZ 0", /^200 /],
    ["PROT P", /^200 /],
    ["EPSV", /^229 /],
    ["STAT", state("Logged in as: user", "Binary", "Passive data channel waiting for connection.")],
  ]);
});

Deno.test("STAT with a path replies 530 before the login", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  await assertDialogue(client, [["STAT /", "530 Log in with USER and PASS first."]]);
});

const BANNERS: readonly (readonly [banner: string, greeting: string])[] = [
  ["Welcome", "220 Welcome"],
  ["Welcome\n220 forged\nto ftpsd", "220-Welcome\r\n 220 forged\r\n220 to ftpsd"],
  ["x".repeat(76), `220-${"x".repeat(76)}\r\n220 `],
];

Deno.test("The greeting shows the banner, of several lines and of a long one too", async () => {
  for (const [banner, greeting] of BANNERS) {
    await using server = await TestServer.start({ protection: "clear", server: { banner } });
    await using client = await RawClient.connect({ host: server.host, port: server.port });
    assertEquals((await client.readReply()).text, greeting);
  }
});
