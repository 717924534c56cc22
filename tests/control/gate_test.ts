import { assertEquals } from "@std/assert";
import type { CommandSpec } from "../../lib/commands/command.ts";
import { ALL_COMMANDS } from "../../lib/commands/command_table.ts";
import { COMMANDS } from "../../lib/commands/table.ts";
import { admit } from "../../lib/control/gate.ts";
import { readOnly } from "../../lib/filesystem/read_only.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { parseCommandLine } from "../../lib/protocol/command_line.ts";
import { loggedIn, secured, type Session } from "../../lib/session/session.ts";
import { fakeAccount, FakeContext, freshSession, readySession } from "../helpers/fake_context.ts";
import { TLS_INFO } from "../helpers/fake_transport.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

/** What the gate says about a line in a session: a code and text, or that it waited, or the request. */
async function ask(session: Session, line: string) {
  const context = new FakeContext({ session });
  const waits: string[] = [];
  const admission = await admit(context, parseCommandLine(line), () => {
    waits.push("waited");
    return Promise.resolve();
  });
  const outcome = "refusal" in admission
    ? `${admission.refusal.code} ${admission.refusal.lines.join("\n")}`
    : admission.request;
  return { outcome, hasWaited: waits.length > 0 };
}

const NO_RIGHTS = fakeAccount({ permissions: "", fileSystem: readOnly(new MemoryFileSystem()) });
const NO_LETTERS = fakeAccount({ permissions: "" });

/** Each step mends what the step before was refused for, and nothing else. */
interface Step {
  readonly session: Session;
  readonly line: string;
  readonly refusal: string;
  readonly hasWaited: boolean;
}

const RENAME_STEPS: readonly Step[] = [
  { session: freshSession(), line: "RNTU", refusal: '500 Command "RNTU" not understood.', hasWaited: false },
  {
    session: freshSession(),
    line: "RNTO",
    refusal: "501 Syntax error: command needs an argument.",
    hasWaited: false,
  },
  {
    session: freshSession(),
    line: "RNTO a\rb",
    refusal: "550 SSL/TLS required on the control channel.",
    hasWaited: false,
  },
  {
    session: secured(freshSession(), TLS_INFO),
    line: "RNTO a\rb",
    refusal: "530 Log in with USER and PASS first.",
    hasWaited: false,
  },
  {
    session: loggedIn(secured(freshSession(), TLS_INFO), NO_RIGHTS),
    line: "RNTO a\rb",
    refusal: "503 Bad sequence of commands: use RNFR first.",
    hasWaited: false,
  },
  {
    session: { ...loggedIn(secured(freshSession(), TLS_INFO), NO_RIGHTS), renameFrom: "/old" },
    line: "RNTO a\rb",
    refusal: "502 Not implemented by this file system.",
    hasWaited: true,
  },
  {
    session: { ...loggedIn(secured(freshSession(), TLS_INFO), NO_LETTERS), renameFrom: "/old" },
    line: "RNTO a\rb",
    refusal: "553 File name not allowed.",
    hasWaited: true,
  },
  {
    session: { ...loggedIn(secured(freshSession(), TLS_INFO), NO_LETTERS), renameFrom: "/old" },
    line: "RNTO ab",
    refusal: "550 Not enough privileges.",
    hasWaited: true,
  },
];

const UPLOAD_STEPS: readonly Step[] = [
  {
    session: loggedIn(secured(freshSession(), TLS_INFO), NO_RIGHTS),
    line: "STOR a\rb",
    refusal: "521 Data connections must be protected; use PBSZ 0 and PROT P.",
    hasWaited: true,
  },
  {
    session: readySession(NO_RIGHTS),
    line: "STOR a\rb",
    refusal: "502 Not implemented by this file system.",
    hasWaited: true,
  },
];

const PASSIVE_STEPS: readonly Step[] = [
  {
    session: { ...readySession(), protection: "C", extendedPassiveOnly: true },
    line: "PASV x",
    refusal: "501 Syntax error: command does not accept arguments.",
    hasWaited: false,
  },
  {
    session: { ...readySession(), protection: "C", extendedPassiveOnly: true },
    line: "PASV",
    refusal: "501 PASV not allowed after EPSV ALL.",
    hasWaited: false,
  },
  {
    session: { ...readySession(), protection: "C" },
    line: "PASV",
    refusal: "550 SSL/TLS required on the data channel.",
    hasWaited: true,
  },
];

for (const [name, steps] of Object.entries({ RNTO: RENAME_STEPS, STOR: UPLOAD_STEPS, PASV: PASSIVE_STEPS })) {
  Deno.test(`admit() checks ${name} in the fixed order`, async () => {
    for (const { session, line, refusal, hasWaited } of steps) {
      assertEquals(await ask(session, line), { outcome: refusal, hasWaited });
    }
  });
}

Deno.test("admit() lets exactly the rows that say so through before a login", async () => {
  await assertAdmittedBefore(secured(freshSession(), TLS_INFO), "530 ", (row) => row.beforeLogin === true);
});

Deno.test("admit() lets exactly the rows that say so through before TLS, where TLS is required", async () => {
  await assertAdmittedBefore(loggedIn(freshSession(), fakeAccount()), "550 SSL", (row) => row.beforeTls === true);
});

Deno.test("admit() waits for the running transfer exactly where the row does not go on beside it", async () => {
  for (const row of COMMANDS.filter(({ verb }) => verb !== "SITE")) {
    const { outcome, hasWaited } = await ask(sequenceSession(row), lineOf(row));
    assertEquals(typeof outcome, "object", `${row.verb} was refused: ${outcome}`);
    assertEquals(hasWaited, row.duringTransfer !== true, row.verb);
  }
});

interface PathCase {
  readonly line: string;
  readonly argument: string;
  readonly pathname: string;
  readonly path: string | undefined;
}

const PATHS: readonly PathCase[] = [
  { line: "RETR a b", argument: "a b", pathname: "a b", path: "/docs/a b" },
  { line: "RETR  a ", argument: " a ", pathname: " a ", path: "/docs/ a " },
  { line: "RETR /a/../../b", argument: "/a/../../b", pathname: "/a/../../b", path: "/b" },
  { line: "RETR ../../etc/passwd", argument: "../../etc/passwd", pathname: "../../etc/passwd", path: "/etc/passwd" },
  { line: "CWD", argument: "", pathname: "", path: "/" },
  { line: "CDUP", argument: "", pathname: "", path: "/" },
  { line: "LIST", argument: "", pathname: "", path: "/docs" },
  { line: "LIST -la", argument: "-la", pathname: "", path: "/docs" },
  { line: "LIST -la sub dir", argument: "-la sub dir", pathname: "sub dir", path: "/docs/sub dir" },
  { line: "LIST -1", argument: "-1", pathname: "", path: "/docs" },
  { line: "LIST -- -la", argument: "-- -la", pathname: "-la", path: "/docs/-la" },
  { line: "LIST -a -- x", argument: "-a -- x", pathname: "x", path: "/docs/x" },
  { line: "NLST -not a flag-", argument: "-not a flag-", pathname: "a flag-", path: "/docs/a flag-" },
  { line: "LIST -a-b", argument: "-a-b", pathname: "-a-b", path: "/docs/-a-b" },
  { line: "STAT", argument: "", pathname: "", path: undefined },
  { line: "STAT -l", argument: "-l", pathname: "", path: "/docs" },
  { line: "SITE CHMOD 644 a b", argument: "644", pathname: "a b", path: "/docs/a b" },
  { line: "SITE CHMOD 644", argument: "644", pathname: "", path: undefined },
  { line: "MFMT 20200101000000 /a", argument: "20200101000000", pathname: "/a", path: "/a" },
  { line: "NOOP", argument: "", pathname: "", path: undefined },
];

for (const { line, argument, pathname, path } of PATHS) {
  Deno.test(`admit() resolves "${line}" from the current directory`, async () => {
    const { outcome } = await ask({ ...readySession(), directory: "/docs" }, line);
    const verb = ALL_COMMANDS.find(parseCommandLine(line).verb)?.verb;
    assertEquals(outcome, { verb: verb ?? "", argument, pathname, path, ...UNABORTED });
  });
}

Deno.test("admit() takes the first reading of an argument whose path is there", async () => {
  const names = ["/-lx", "/20200101000000 a", "/a", "/b 1 2", "/b"];
  const account = fakeAccount({ fileSystem: MemoryFileSystem.of(Object.fromEntries(names.map((name) => [name, ""]))) });
  const readings: readonly (readonly [line: string, argument: string, pathname: string, path: string])[] = [
    ["LIST -lx", "-lx", "-lx", "/-lx"],
    ["LIST -la -lx", "-la -lx", "-lx", "/-lx"],
    ["LIST -la -- -lx", "-la -- -lx", "-lx", "/-lx"],
    ["LIST -la -xl", "-la -xl", "", "/"],
    ["LIST -lx /a", "-lx /a", "/a", "/a"],
    ["MDTM 20200101000000 a", "", "20200101000000 a", "/20200101000000 a"],
    ["MDTM 20200101000000 b", "20200101000000", "b", "/b"],
    ["MDTM a", "", "a", "/a"],
    ["XCRC b 1 2", "", "b 1 2", "/b 1 2"],
    ["XCRC b 1", "1", "b", "/b"],
    ['XCRC "b 1 2" 0 5', "0 5", "b 1 2", "/b 1 2"],
    ["XCRC missing 7", "7", "missing", "/missing"],
  ];
  for (const [line, argument, pathname, path] of readings) {
    const { outcome } = await ask(readySession(account), line);
    assertEquals(outcome, { verb: line.split(" ", 1)[0] ?? "", argument, pathname, path, ...UNABORTED }, line);
  }
});

Deno.test("admit() asks for the row's letter and the resolved path", async () => {
  const asked: string[] = [];
  const account = {
    ...fakeAccount(),
    hasPermission: (letter: string, path: string) => asked.push(`${letter} ${path}`) > 0,
  };
  const lines = ["DELE ../x", "XMKD y", "SITE CHMOD 600 z", "STAT", "SITE UMASK 22", "MFF Unix.Mode=600;modify=x; z"];
  for (const line of lines) await ask({ ...readySession(account), directory: "/docs" }, line);
  assertEquals(asked, ["d /x", "m /docs/y", "M /docs/z", "M /docs", "T /docs/z", "T /docs/z", "M /docs/z"]);
});

/** A session in which the row's own sequence is right. */
function sequenceSession(row: CommandSpec): Session {
  if (row.verb === "PASS") return { ...readySession(), login: { state: "passwordExpected", username: "user" } };
  if (row.verb === "HOST") return secured(freshSession(), TLS_INFO);
  return row.verb === "RNTO" ? { ...readySession(), renameFrom: "/old" } : readySession();
}

function lineOf(row: CommandSpec): string {
  return row.argument === "required" ? `${row.verb} x` : row.verb;
}

async function assertAdmittedBefore(
  session: Session,
  refusal: string,
  isEarly: (row: CommandSpec) => boolean,
): Promise<void> {
  for (const row of COMMANDS) {
    const { outcome } = await ask(session, row.verb === "STAT" ? "STAT x" : lineOf(row));
    const isRefused = typeof outcome === "string" && outcome.startsWith(refusal);
    assertEquals(isRefused, !isEarly(row), `${row.verb}: ${Deno.inspect(outcome)}`);
  }
}
