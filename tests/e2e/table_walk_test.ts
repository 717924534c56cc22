/**
 * Walks the command table over the wire: whatever a row says, or leaves out, must hold for each of its names.
 *
 * What is expected follows from the row alone; `tests/helpers/command_examples.ts` has an argument for each. Permissions and
 * paths are in `table_walk_paths_test.ts`.
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { ALL_PERMISSIONS } from "../../lib/accounts/permission.ts";
import type { CommandSpec } from "../../lib/commands/command.ts";
import { COMMANDS } from "../../lib/commands/table.ts";
import type { FileSystem, FileSystemMethod } from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { readOnly } from "../../lib/filesystem/read_only.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { linesBefore, linesOf, namesOf } from "../helpers/command_examples.ts";
import { FakeContext, readySession } from "../helpers/fake_context.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const NEEDS_ARGUMENT = "501 Syntax error: command needs an argument.";
const TAKES_NONE = "501 Syntax error: command does not accept arguments.";
const LOGIN_FIRST = "530 Log in with USER and PASS first.";
const CLEAR_CONTROL = "550 SSL/TLS required on the control channel.";
const CLEAR_DATA = {
  prepares: "550 SSL/TLS required on the data channel.",
  uses: "521 Data connections must be protected; use PBSZ 0 and PROT P.",
} as const;
const NO_CAPABILITY = "502 Not implemented by this file system.";

/** The rows that are reached by a line: `SITE` alone is only there to be helped with. */
const ROWS = COMMANDS.filter(({ verb }) => verb !== "SITE");

/** Each name of each row that fits. */
function names(fits: (row: CommandSpec) => boolean): readonly { readonly row: CommandSpec; readonly name: string }[] {
  return ROWS.filter(fits).flatMap((row) => namesOf(row).map((name) => ({ row, name })));
}

async function assertReplies(client: RawClient, lines: readonly string[], expected: string): Promise<void> {
  for (const line of lines) assertEquals((await client.command(line)).text, expected, line);
}

/** Connects without starting TLS. */
async function connectClear(server: TestServer): Promise<RawClient> {
  const client = await RawClient.connect({ host: server.host, port: server.port });
  await client.readReply();
  return client;
}

/** How a client may stand when the argument is looked at, which goes before all else. */
const STATES: Readonly<Record<string, (server: TestServer) => Promise<RawClient>>> = {
  "before TLS": connectClear,
  "before the login": (server) => server.connect(),
  "logged in": (server) => server.login(),
};

for (const [state, connect] of Object.entries(STATES)) {
  Deno.test(`Every command that needs an argument replies 501 without: ${state}`, async () => {
    await using server = await TestServer.start();
    await using client = await connect(server);
    for (const { name } of names(({ argument }) => argument === "required")) {
      await assertReplies(client, [name, `${name} `], NEEDS_ARGUMENT);
    }
  });

  Deno.test(`Every command that takes no argument replies 501 to one: ${state}`, async () => {
    await using server = await TestServer.start();
    await using client = await connect(server);
    for (const { name } of names(({ argument }) => argument === "none")) {
      await assertReplies(client, [`${name} x`, `${name}  x `], TAKES_NONE);
    }
  });
}

Deno.test("Every command takes its arguments, and does without where it may", async () => {
  await using server = await TestServer.start();
  for (const { row, name } of names(() => true)) {
    for (const line of linesOf(row, { name })) {
      await using client = await server.connect();
      const { text } = await client.command(line);
      assert(text !== NEEDS_ARGUMENT && text !== TAKES_NONE, `${line}: ${text}`);
    }
  }
});

Deno.test("Every command replies 530 before the login, but those whose row lets them through", async () => {
  await using server = await TestServer.start();
  for (const { row, name } of names(() => true)) {
    for (const line of linesOf(row, { name })) {
      await using client = await server.connect();
      const isEarly = row.beforeLogin === true || (row.beforeLogin === "withoutArgument" && line === name);
      const { text } = await client.command(line);
      assertEquals(text === LOGIN_FIRST, !isEarly, `${line}: ${text}`);
    }
  }
});

for (const policy of ["required", "control", "optional"] as const) {
  Deno.test(`Every command follows its row before TLS, where the policy is ${policy}`, async () => {
    await using server = await TestServer.start({ server: { tls: { policy } } });
    for (const { row, name } of names(() => true)) {
      for (const line of linesOf(row, { name })) {
        await using client = await connectClear(server);
        const { text } = await client.command(line);
        assertEquals(text === CLEAR_CONTROL, policy !== "optional" && !row.beforeTls, `${line}: ${text}`);
      }
    }
  });

  Deno.test(`Every command follows its row before PROT P, where the policy is ${policy}`, async () => {
    await using server = await TestServer.start({ server: { tls: { policy }, timeouts: NO_PORT } });
    for (const { row, name } of names(() => true)) {
      await using client = await server.connect();
      await client.expect(331, `USER ${USER.name}`);
      await client.expect(230, `PASS ${USER.password}`);
      for (const line of linesOf(row, { name, path: "/missing/x" })) {
        const text = await finalReply(client, line);
        const refusal = policy === "required" && row.dataConnection ? CLEAR_DATA[row.dataConnection] : undefined;
        if (refusal !== undefined) assertEquals(text, refusal, line);
        else assert(!Object.values(CLEAR_DATA).some((it) => it === text), `${line}: ${text}`);
        if (text.startsWith("221")) break;
      }
    }
  });
}

/** How long a transfer that may go before its port waits for it. */
const NO_PORT = { passive: 0.01 };

async function finalReply(client: RawClient, line: string): Promise<string> {
  const reply = await client.command(line);
  return (reply.code < 200 ? await client.readReply(line) : reply).text;
}

/** A server whose users have the given homes. */
async function startWith(homes: Readonly<Record<string, FileSystem>>): Promise<TestServer> {
  const authorizer = new VirtualAuthorizer();
  for (const [name, home] of Object.entries(homes)) {
    authorizer.addUser(name, USER.password, home, { permissions: ALL_PERMISSIONS });
  }
  return await TestServer.start({ server: { authorizer, timeouts: NO_PORT } });
}

/** Every optional method that a row asks for, but for that of views that count. */
const CAPABILITIES = [...new Set(ROWS.flatMap(({ needs }) => needs === undefined || needs === "quotas" ? [] : needs))];

/** A view of a file system with no other of the optional methods than the given ones. */
function offering(fileSystem: MemoryFileSystem, methods: readonly Exclude<FileSystemMethod, "quotas">[]): FileSystem {
  const offered = methods.map((method) => [method, fileSystem[method].bind(fileSystem)]);
  return { ...readOnly(fileSystem), ...Object.fromEntries(offered) };
}

for (const capability of CAPABILITIES) {
  Deno.test(`Every command that needs ${capability}() replies 502 without, and FEAT does not name it`, async () => {
    const home = MemoryFileSystem.of({ "/file": "12345" });
    const others = CAPABILITIES.filter((it) => it !== capability);
    await using server = await startWith({
      all: home,
      others: offering(home, others),
      one: offering(home, [capability]),
    });
    await using client = await server.login({ username: "others" });
    await using able = await server.login({ username: "one" });
    for (const { row, name } of names(({ needs }) => needs === capability)) {
      for (const line of linesOf(row, { name, path: "/missing/x" })) {
        if (row.sequence === undefined) await assertReplies(client, [line], NO_CAPABILITY);
        for (const before of linesBefore(row)) await able.command(before);
        assertNotEquals(await finalReply(able, line), NO_CAPABILITY, line);
      }
    }
    const context = new FakeContext({ session: readySession() });
    const lost = ROWS.filter(({ needs }) => needs === capability).flatMap((row) => row.features?.(context) ?? []);
    await using complete = await server.login({ username: "all" });
    const features = (await complete.expect(211, "FEAT")).lines;
    assertEquals((await client.expect(211, "FEAT")).lines, features.filter((line) => !lost.includes(line.trim())));
  });
}
