import { assert, assertEquals, assertMatch } from "@std/assert";
import { ALL_PERMISSIONS } from "../../lib/accounts/permission.ts";
import { COMMANDS } from "../../lib/commands/table.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { FakeContext, readySession } from "../helpers/fake_context.ts";

/** The commands of pyftpdlib: verb, permission, and whether an argument is needed, forbidden or optional. */
const EXPECTED = `
  ABOR - none       ALLO - required  APPE a required  CDUP e none       XCUP e none       CWD e optional
  XCWD e optional   DELE d required  EPRT - required  EPSV - optional   FEAT - none       HELP - optional
  LIST l optional   MDTM l required  MFMT T required  MKD m required    XMKD m required   MLSD l optional
  MLST l optional   MODE - required  NLST l optional  NOOP - none       OPTS - required   PASS - optional
  PASV - none       PORT - required  PWD - none       XPWD - none       QUIT - none       REIN - none
  REST - required   RETR r required  RMD d required   XRMD d required   RNFR f required   RNTO f required
  SITE - required   SIZE l required  STAT l optional  STOR w required   STOU w optional   STRU - required
  SYST - none       TYPE - required  USER - required  AUTH - required   PBSZ - required   PROT - required
  SITE_CHMOD M required              SITE_HELP - optional
`.trim().split(/\s{2,}/).map((entry) => entry.replaceAll("_", " "));

const NAMES = COMMANDS.flatMap((row) => [row.verb, ...row.aliases ?? []]);

function rowOf(name: string) {
  return COMMANDS.find((row) => row.verb === name || row.aliases?.includes(name));
}

Deno.test("COMMANDS has every command of pyftpdlib with its permission and argument rule", () => {
  assertEquals(EXPECTED.map((entry) => ruleOf(entry.replace(/ \S+ \S+$/, ""))), EXPECTED);
});

function ruleOf(name: string): string {
  const row = rowOf(name);
  return `${name} ${row?.permission ?? "-"} ${row?.argument}`;
}

/** Those that clients send or ask for; CCC is there to be refused. */
const FURTHER = `
  ACCT - required   HOST - required   CCC - none        AVBL w optional   MFF T required    HASH r required
  XCRC r required   XMD5 r required   XSHA1 r required  XSHA r required   XSHA256 r required
  XSHA512 r required                  SITE_PSWD - required   SITE_QUOTA - none                   SITE_UTIME T required
  SITE_UMASK M optional               LANG - optional   CLNT - required
`.trim().split(/\s{2,}/).map((entry) => entry.replaceAll("_", " "));

Deno.test("COMMANDS has beyond those the ones listed here", () => {
  const expected = EXPECTED.map((entry) => entry.replace(/ \S+ \S+$/, ""));
  assertEquals(NAMES.filter((name) => !expected.includes(name)).map(ruleOf), FURTHER);
});

Deno.test("COMMANDS has each verb and alias once", () => {
  assertEquals(NAMES, [...new Set(NAMES)]);
});

for (const row of COMMANDS) {
  Deno.test(`COMMANDS ${row.verb} is well formed`, () => {
    for (const name of [row.verb, ...row.aliases ?? []]) assertMatch(name, /^(SITE )?[A-Z]{3,5}\d*$/);
    assert(row.help === row.verb || row.help.startsWith(`${row.verb} `), "The help does not begin with the verb");
    assertMatch(row.rfc, /^(RFC \d+ §[\d.]+|draft-[\w-]+ §[\dA-Z]+|in use, without a standard)$/);
    if (row.permission !== undefined) assert(ALL_PERMISSIONS.includes(row.permission));
    // What counts is a view of another file system.
    if (row.needs === undefined || row.needs === "quotas") return;
    assertEquals(typeof new MemoryFileSystem()[row.needs], "function");
  });

  Deno.test(`COMMANDS ${row.verb} says in its help whether an argument follows`, () => {
    const syntax = row.help.replace(/ \([^)]*\)$/, "").slice(row.verb.length).trim();
    const expected = { none: /^$/, optional: /^(\[<SP>.*)?$/, required: /^<SP> / };
    assertMatch(syntax, expected[row.argument]);
  });
}

Deno.test("COMMANDS asks for a permission wherever there is a pathname", () => {
  for (const row of COMMANDS) if (row.pathname !== undefined) assert(row.permission !== undefined, row.verb);
});

Deno.test("COMMANDS asks for rights of further commands, and for moving, only beside one", () => {
  for (const row of COMMANDS) {
    if (row.furtherCommands || row.movesTree) assert(row.permission !== undefined, row.verb);
  }
});

Deno.test("COMMANDS that need rename() move trees, whichever letter they ask for", () => {
  assertEquals(COMMANDS.map((row) => row.movesTree ?? false), COMMANDS.map(({ needs }) => needs === "rename"));
});

Deno.test("COMMANDS lets nothing touch files before the login or beside a transfer, but STAT a listing", () => {
  for (const row of COMMANDS) {
    if (row.permission === undefined || row.verb === "STAT") continue;
    assert(!row.beforeLogin && !row.duringTransfer && !row.beforeTls, row.verb);
  }
});

Deno.test("COMMANDS masks the arguments of PASS, ACCT and SITE PSWD and no other", () => {
  assertEquals(COMMANDS.filter((row) => row.secret).map((row) => row.verb), ["PASS", "ACCT", "SITE PSWD"]);
});

Deno.test("COMMANDS keeps names and secrets behind TLS", () => {
  for (const verb of ["USER", "PASS", "ACCT", "SITE PSWD"]) assertEquals(rowOf(verb)?.beforeTls, undefined);
});

Deno.test("COMMANDS changes files only where the file system can", () => {
  const writing = COMMANDS.filter((row) => "adfmwMT".includes(row.permission ?? "-"));
  assertEquals(writing.filter((row) => row.needs === undefined), []);
});

Deno.test("COMMANDS has the protection rule in data rows: those that open a port, and those that use one", () => {
  const rowsOf = (use: string) => COMMANDS.filter((row) => row.dataConnection === use).map((row) => row.verb);
  assertEquals(rowsOf("prepares"), ["PASV", "EPSV", "PORT", "EPRT"]);
  assertEquals(rowsOf("uses"), ["RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD"]);
});

Deno.test("COMMANDS starts TLS by AUTH alone", () => {
  assertEquals(COMMANDS.filter((row) => row.startsTls).map((row) => row.verb), ["AUTH"]);
});

Deno.test("COMMANDS has each line of FEAT once", () => {
  const context = new FakeContext({ session: readySession() });
  const lines = COMMANDS.flatMap((row) => row.features?.(context) ?? []);
  assertEquals(lines, [...new Set(lines)]);
});
