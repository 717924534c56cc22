/**
 * Walks the command table over the wire: every command that takes a path asks for the right its row names, for that very
 * path, and never leaves the root.
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { ALL_PERMISSIONS, type PermissionLetter, READ_PERMISSIONS } from "../../lib/accounts/permission.ts";
import type { CommandSpec } from "../../lib/commands/command.ts";
import { ALL_COMMANDS } from "../../lib/commands/command_table.ts";
import { COMMANDS } from "../../lib/commands/table.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { parseCommandLine } from "../../lib/protocol/command_line.ts";
import { locatePathname, resolvePathname } from "../../lib/protocol/pathname.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { linesBefore, linesOf, linesWithArgument, namesOf } from "../helpers/command_examples.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const NO_PERMISSION = "550 Not enough privileges.";
/** What is not there; those who tell of regular files only call it by its path in the root. */
const MISSING = (path: string) => ["550 No such file or directory.", `550 ${path} is not retrievable.`];

/** The rows that take a path. */
const ROWS = COMMANDS.filter(({ pathname }) => pathname !== undefined);

/** Where the walkers may do everything, or only what the row says. */
const OPEN = "/open";

/** A name of a user for each letter: one who lacks it outside of `/open`, and one who has nothing else there. */
const lacking = (letter: string) => `lacking-${letter}`;
const having = (letter: string) => `having-${letter}`;

async function startWithLetters(home: MemoryFileSystem): Promise<TestServer> {
  const authorizer = new VirtualAuthorizer();
  for (const letter of ALL_PERMISSIONS) {
    const open = (permissions: string) => [{ path: OPEN, permissions, recursive: true }];
    const others = ALL_PERMISSIONS.replace(letter, "");
    authorizer.addUser(lacking(letter), USER.password, home, { permissions: others, overrides: open(ALL_PERMISSIONS) });
    authorizer.addUser(having(letter), USER.password, home, { permissions: "", overrides: open(letter) });
  }
  for (const letters of new Set(ROWS.flatMap((row) => linesWithArgument(row).map((line) => lettersFor(row, line))))) {
    if (letters.length === 1) continue;
    const overrides = [{ path: OPEN, permissions: letters, recursive: true }];
    authorizer.addUser(having(letters), USER.password, home, { permissions: "", overrides });
  }
  return await TestServer.start({ server: { authorizer } });
}

function findRow(verb: string): CommandSpec {
  const row = ALL_COMMANDS.find(verb);
  assert(row !== undefined, `There is no ${verb}`);
  return row;
}

function permissionOf(row: CommandSpec): PermissionLetter {
  const { permission } = row;
  assert(permission !== undefined, `${row.verb} takes a path and asks for no right`);
  return permission;
}

/** The letters that a line needs, that of its row first. */
function lettersFor(row: CommandSpec, line: string): string {
  const { argument } = parseCommandLine(line);
  const reading = row.pathname && locatePathname(argument, row.pathname).at(-1);
  const further = row.furtherCommands?.(reading?.argument ?? argument) ?? [];
  return [...new Set([row, ...further.map(findRow)].map(permissionOf))].join("");
}

/** Current directories from which the default path lies outside of `/open`, and inside where it can. */
const DEFAULTS: Readonly<Record<NonNullable<CommandSpec["defaultPath"]>, { outside: string; inside?: string }>> = {
  current: { outside: "/", inside: OPEN },
  currentBehindFlags: { outside: "/", inside: OPEN },
  parent: { outside: OPEN, inside: `${OPEN}/deep` },
  root: { outside: OPEN },
};

async function logInAt(server: TestServer, username: string, directory: string): Promise<RawClient> {
  const client = await server.login({ username });
  if (directory !== "/") await client.expect(250, `CWD ${directory}`);
  return client;
}

for (const row of ROWS.filter(({ argument }) => argument !== "none")) {
  Deno.test(`${row.verb} is refused without each of its rights for the path, however the path is written`, async () => {
    await using server = await startWithLetters(MemoryFileSystem.of({ "/file": "", "/open/file": "" }));
    for (const name of namesOf(row)) {
      for (const path of ["/file", "file", "./open/../file", `${OPEN}/../../file`, "/opened"]) {
        for (const line of linesWithArgument(row, { name, path })) {
          for (const letter of lettersFor(row, line)) {
            await using client = await server.login({ username: lacking(letter) });
            for (const before of linesBefore(row, `${OPEN}/file`)) await client.command(before);
            assertEquals((await client.command(line)).text, NO_PERMISSION, `${line} without ${letter}`);
          }
        }
      }
    }
  });

  Deno.test(`${row.verb} asks for its own rights and no other`, async () => {
    await using server = await startWithLetters(MemoryFileSystem.of({ "/open/file": "" }));
    for (const name of namesOf(row)) {
      for (const line of linesWithArgument(row, { name, path: `${OPEN}/file` })) {
        const letters = lettersFor(row, line);
        await using client = await server.login({ username: having(letters) });
        for (const before of linesBefore(row, `${OPEN}/file`)) await client.command(before);
        assertNotEquals((await client.command(line)).text, NO_PERMISSION, line);
        for (const letter of letters.length > 1 ? letters : "") {
          await using other = await server.login({ username: having(letter) });
          assertEquals((await other.command(line)).text, NO_PERMISSION, `${line} with ${letter} alone`);
        }
      }
    }
  });
}

Deno.test("Every command asks for its right where it does without a path", async () => {
  await using server = await startWithLetters(MemoryFileSystem.of({ "/open/deep/file": "" }));
  for (const row of COMMANDS.filter(({ permission }) => permission !== undefined)) {
    const defaultPath = row.defaultPath ?? (row.pathname === undefined ? "current" : undefined);
    if (defaultPath === undefined) continue;
    const { outside, inside } = DEFAULTS[defaultPath];
    const username = lacking(permissionOf(row));
    for (const name of namesOf(row)) {
      const line = defaultPath === "currentBehindFlags" ? `${name} -l` : name;
      await using client = await logInAt(server, username, outside);
      assertEquals((await client.command(line)).text, NO_PERMISSION, line);
      if (inside === undefined) continue;
      await using other = await logInAt(server, username, inside);
      assertNotEquals((await other.command(line)).text, NO_PERMISSION, line);
    }
  }
});

Deno.test("Every command that changes something replies 550 to anonymous, and changes nothing", async () => {
  const home = MemoryFileSystem.of({ "/file": "12345", "/dir/file": "" });
  const before = await snapshot(home);
  await using server = await TestServer.start({ home });
  for (const row of COMMANDS.filter(({ permission }) => permission !== undefined)) {
    for (const name of namesOf(row)) {
      await using client = await server.login({ username: "anonymous" });
      for (const line of linesOf(row, { name })) {
        if ([...lettersFor(row, line)].every((letter) => READ_PERMISSIONS.includes(letter))) continue;
        if (row.sequence !== undefined) assert((await client.command(line)).code >= 500, line);
        else assertEquals((await client.command(line)).text, NO_PERMISSION, line);
      }
    }
  }
  assertEquals(await snapshot(home), before);
});

/** All that a change would change. */
async function snapshot(home: MemoryFileSystem): Promise<unknown> {
  const entries = [];
  for (const path of ["/", "/dir"]) entries.push(await Array.fromAsync(home.list(path)));
  return entries;
}

/** Ways out that end at the root: what they name is missing there. */
const BY_DOTS = ["../../../../etc/passwd", "/../../etc/passwd", "/dir/../../etc/passwd", "..//..//./etc/passwd"];
/** Ways out by a link in the root. */
const BY_LINK = [
  "../out/secret",
  "/out/secret",
  "../out/folder/secret",
  "/out/new",
  "/out/folder/new",
  "./../out/folder/",
];

Deno.test({
  name: "Every command that takes a path stays inside the root, by dots and by links, under each of its names",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    await Deno.mkdir(`${folder.path}/home/dir`, { recursive: true });
    await Deno.mkdir(`${folder.path}/outside/folder`, { recursive: true });
    await Deno.writeTextFile(`${folder.path}/outside/secret`, "secret");
    await Deno.writeTextFile(`${folder.path}/outside/folder/secret`, "secret");
    await Deno.symlink("../outside", `${folder.path}/home/out`);
    await Deno.writeTextFile(`${folder.path}/home/file`, "12345");
    await using server = await TestServer.start({ home: `${folder.path}/home` });
    await using client = await server.login();
    await client.expect(200, "TYPE I");
    await client.expect(250, "CWD /dir");
    // The port is there, so that nothing is refused for want of one; none of the commands gets as far as to use it.
    await using _data = await client.passive();
    const before = await treeOf(folder.path);
    for (const row of ROWS) {
      for (const path of [...BY_DOTS, ...BY_LINK]) {
        for (const line of namesOf(row).flatMap((name) => linesWithArgument(row, { name, path }))) {
          for (const first of linesBefore(row)) await client.command(first);
          const { text } = await client.command(line);
          assert(MISSING(resolvePathname("/dir", path)).includes(text), `${line}: ${text}`);
        }
      }
    }
    assertEquals(await treeOf(folder.path), before);
  },
});

/** Names, times and modes of all that is in a folder. */
async function treeOf(path: string): Promise<unknown> {
  const { isDirectory, mtime, mode, size } = await Deno.lstat(path);
  if (!isDirectory) return { mtime, mode, size };
  const found: Record<string, unknown> = {};
  for await (const { name } of Deno.readDir(path)) found[name] = await treeOf(`${path}/${name}`);
  return found;
}
