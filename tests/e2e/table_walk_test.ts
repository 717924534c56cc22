import { assertEquals } from "@std/assert";
import type { CommandSpec } from "../../lib/commands/command.ts";
import { COMMANDS } from "../../lib/commands/table.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory_filesystem.ts";

import { RawClient } from "../helpers/raw_client.ts";
import { TestServer } from "../helpers/test_server.ts";

/** The rows that are reached by a line: `SITE` alone is only there to be helped with. */
const ROWS = COMMANDS.filter(({ verb }) => verb !== "SITE");

/** A line that a row's argument rule lets through. */
function lineOf(row: CommandSpec, name: string = row.verb): string {
  const argument = row.pathname === "afterFirstWord" ? "600 /file" : row.pathname === undefined ? "x" : "/file";
  return row.argument === "none" || (row.argument === "optional" && row.pathname === undefined)
    ? name
    : `${name} ${argument}`;
}

/** Sends a line for each row and name, and compares the reply with what the row lets expect. */
async function walk(
  client: RawClient,
  lineFor: (row: CommandSpec, name: string) => string | undefined,
  expected: (row: CommandSpec) => string,
): Promise<void> {
  for (const row of ROWS) {
    for (const name of [row.verb, ...row.aliases ?? []]) {
      const line = lineFor(row, name);
      if (line !== undefined) assertEquals((await client.command(line)).text, expected(row), line);
    }
  }
}

for (const state of ["before the login", "logged in"] as const) {
  Deno.test(`Every command that needs an argument replies 501 without: ${state}`, async () => {
    await using server = await TestServer.start();
    await using client = state === "logged in" ? await server.login() : await server.connect();
    const text = "501 Syntax error: command needs an argument.";
    await walk(client, (row, name) => row.argument === "required" ? name : undefined, () => text);
    await walk(client, (row, name) => row.argument === "required" ? `${name} ` : undefined, () => text);
  });

  Deno.test(`Every command that takes no argument replies 501 to one: ${state}`, async () => {
    await using server = await TestServer.start();
    await using client = state === "logged in" ? await server.login() : await server.connect();
    const text = "501 Syntax error: command does not accept arguments.";
    await walk(client, (row, name) => row.argument === "none" ? `${name} x` : undefined, () => text);
  });
}

Deno.test("Every command but those of the table replies 530 before the login", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  await walk(
    client,
    (row, name) => row.beforeLogin === true ? undefined : lineOf(row, name),
    () => "530 Log in with USER and PASS first.",
  );
});

Deno.test("Every command but those of the table replies 550 before TLS", async () => {
  await using server = await TestServer.start();
  await using client = await RawClient.connect({ host: server.host, port: server.port });
  await client.readReply();
  await walk(
    client,
    (row, name) => row.beforeTls ? undefined : lineOf(row, name),
    () => "550 SSL/TLS required on the control channel.",
  );
});

Deno.test("Every command that prepares or uses a data connection is refused before PROT P", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  await client.expect(331, "USER user");
  await client.expect(230, "PASS 12345");
  await walk(
    client,
    (row, name) => row.dataConnection === undefined ? undefined : lineOf(row, name),
    (row) =>
      row.dataConnection === "prepares"
        ? "550 SSL/TLS required on the data channel."
        : "521 Data connections must be protected; use PBSZ 0 and PROT P.",
  );
});

Deno.test("Every command that changes something replies 550 to anonymous, and changes nothing", async () => {
  const home = MemoryFileSystem.of({ "/file": "12345", "/dir/file": "" });
  const before = await snapshot(home);
  await using server = await TestServer.start({ home });
  await using client = await server.login({ username: "anonymous" });
  await walk(
    client,
    (row, name) => "elr".includes(row.permission ?? "e") || row.sequence ? undefined : lineOf(row, name),
    () => "550 Not enough privileges.",
  );
  assertEquals(await snapshot(home), before);
});

Deno.test("Every command that takes a path stays inside the root, however many .. there are", async () => {
  const home = MemoryFileSystem.of({ "/dir/x": "" });
  await using server = await TestServer.start({ home });
  await using client = await server.login();
  await client.expect(200, "TYPE I");
  await client.expect(250, "CWD /dir");
  const outside = "../../../../../../etc/passwd";
  const missing = "550 No such file or directory.";
  await client.passive().then((data) => data[Symbol.asyncDispose]());
  await walk(
    client,
    (row, name) => {
      if (row.pathname === undefined || row.sequence || row.argument === "none") return undefined;
      const line = `${name} ${row.pathname === "afterFirstWord" ? `${WORDS[row.verb]} ` : ""}`;
      // Inside, where nothing of that name is: the directory "/etc" is missing.
      return line + outside;
    },
    () => missing,
  );
  await client.expect(350, "RNFR x");
  assertEquals((await client.command(`RNTO ${outside}`)).text, missing);
});

const WORDS: Readonly<Record<string, string>> = { MFMT: "20010203040506", "SITE CHMOD": "600" };

/** All that a change would change. */
async function snapshot(home: MemoryFileSystem): Promise<unknown> {
  const entries = [];
  for (const path of ["/", "/dir"]) entries.push(await Array.fromAsync(home.list(path)));
  return entries;
}
