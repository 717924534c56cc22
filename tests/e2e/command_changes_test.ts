import { assert, assertEquals } from "@std/assert";
import type { CommandChanges, PermittedCommand } from "../../lib/commands/command_changes.ts";
import { FileSystemError } from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { FtpServer } from "../../lib/server/ftp_server.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TestServer } from "../helpers/test_server.ts";

function start(commands: CommandChanges, server: Partial<FtpServerOptions> = {}): Promise<TestServer> {
  const home = MemoryFileSystem.of({ "/file": "content", "/docs/a": "" });
  return TestServer.start({ home, server: { commands, ...server } });
}

Deno.test("A disabled command is unknown: to the dialogue, to HELP and to FEAT", async () => {
  await using server = await start({ disabled: ["MFMT", "SITE CHMOD"] });
  await using client = await server.login();
  assertEquals((await client.command("MFMT 20200101000000 file")).text, '500 Command "MFMT" not understood.');
  assertEquals((await client.command("SITE CHMOD 600 file")).code, 500);
  assertEquals((await client.command("HELP MFMT")).code, 501);
  assert(!(await client.expect(211, "FEAT")).text.includes("MFMT"));
  assert(!(await client.expect(214, "SITE HELP")).text.includes("CHMOD"));
});

Deno.test("A changed permission is asked for", async () => {
  await using server = await start({ permissions: { SIZE: "w" } });
  await using reader = await server.login({ username: "anonymous" });
  await reader.expect(200, "TYPE I");
  await reader.expect(550, "SIZE file");
  await using writer = await server.login();
  await writer.expect(200, "TYPE I");
  await writer.expect(213, "SIZE file");
});

Deno.test("A SITE command gets who asks and what, and answers in its own words", async () => {
  const asked: Partial<PermittedCommand>[] = [];
  const site = {
    name: "TELL",
    argument: "optional",
    permission: "l",
    isPathname: true,
    help: "tell",
    run: ({ session, remote, signal: _signal, ...command }: PermittedCommand) => {
      asked.push(command);
      assertEquals([session.length > 0, remote.startsWith("127.0.0.1:")], [true, true]);
      return command.path === "/docs" ? "one\ntwo" : { code: 553, text: "no\r\n226 yes" } as const;
    },
  } as const;
  await using server = await start({ site: [site] });
  await using client = await server.login();
  await client.expect(250, "CWD docs");
  assertEquals((await client.command("site tell ../docs")).text, "200-one\r\n200 two");
  assertEquals((await client.command("SITE TELL ../../..//etc/")).text, "553-no?\r\n553 226 yes");
  assertEquals(asked.map(({ account, ...rest }) => ({ ...rest, account: account?.username })), [
    { username: "user", account: "user", command: "SITE TELL", argument: "../docs", path: "/docs" },
    { username: "user", account: "user", command: "SITE TELL", argument: "../../..//etc/", path: "/etc" },
  ]);
  assertEquals((await client.expect(214, "SITE HELP TELL")).text, "214 Syntax: SITE TELL [<SP> path] (tell)");
});

Deno.test("A SITE command obeys login, TLS, argument rule and permission", async () => {
  const site = [{ name: "WIPE", permission: "d", help: "wipe", run: () => "Wiped." }] as const;
  await using server = await start({ site });
  await using clear = await server.connect();
  assertEquals((await clear.command("SITE WIPE")).code, 530);
  await using reader = await server.login({ username: "anonymous" });
  assertEquals((await reader.command("SITE WIPE")).text, "550 Not enough privileges.");
  await using writer = await server.login();
  assertEquals((await writer.command("SITE WIPE all")).code, 501);
  assertEquals((await writer.command("SITE WIPE")).text, "200 Wiped.");
});

const FAILURES = [
  [() => Promise.reject(new FileSystemError("notFound", "/srv/secret")), "550 No such file or directory."],
  [() => Promise.reject(new Error("/srv/secret")), "451 Internal error"],
  [() => ({ code: 331, text: "Password?" }) as never, "451 Internal error"],
] as const;

for (const [run, reply] of FAILURES) {
  Deno.test(`A SITE command that fails is answered by ${reply}`, async () => {
    const server = await start({ site: [{ name: "FAIL", permission: "e", help: "fail", run }] });
    await using client = await server.login();
    const { text } = await client.command("SITE FAIL");
    assertEquals([text.startsWith(reply), text.includes("secret")], [true, false]);
    await client.expect(200, "NOOP");
    await server.server.shutdown();
    const internalErrors = server.events.filter(({ event }) => event === "internalError").length;
    assertEquals(internalErrors, reply.startsWith("451") ? 1 : 0);
  });
}

Deno.test("commands.refuse() is asked about permitted commands only, and its text is the answer", async () => {
  const asked: string[] = [];
  const refuse = ({ command, path, username }: PermittedCommand) => {
    asked.push(`${username} ${command} ${path ?? ""}`);
    return Promise.resolve(path?.endsWith(".exe") ? "No programs here." : undefined);
  };
  await using server = await start({ refuse });
  await using client = await server.login();
  assertEquals(asked, []);
  await client.expect(200, "TYPE I");
  assertEquals((await client.command("DELE virus.exe")).text, "550 No programs here.");
  await client.expect(501, "DELE");
  await using data = await client.passive();
  assertEquals((await client.command("STOR virus.exe")).text, "550 No programs here.");
  await client.expect(150, "RETR file");
  await data.secure();
  await data.readAll();
  assertEquals((await client.readReply()).code, 226);
  await client.expect(221, "QUIT");
  await client.closed();
  await using reader = await server.login({ username: "anonymous" });
  await reader.expect(550, "DELE file");
  assertEquals(asked, [
    "user TYPE ",
    "user DELE /virus.exe",
    "user EPSV ",
    "user STOR /virus.exe",
    "user RETR /file",
  ]);
});

Deno.test("commands.refuse() that never answers holds up only its own session, which can be aborted", async () => {
  const held = Promise.withResolvers<undefined>();
  await using server = await start({ refuse: ({ command }) => command === "DELE" ? held.promise : undefined });
  await using client = await server.login();
  await using other = await server.login();
  await client.send("DELE file\r\n");
  await other.expect(257, "PWD");
  await server.server.shutdown();
  assertEquals((await client.readReply()).code, 421);
  held.resolve(undefined);
});

Deno.test("reconfigure() changes the commands of sessions that begin then", async () => {
  const authorizer = new VirtualAuthorizer();
  const options: FtpServerOptions = { authorizer, listen: [{ port: 0 }] };
  await using server = new FtpServer(options);
  await server.listen();
  await server.reconfigure({ ...options, commands: { disabled: ["LANG"] } });
  const [address] = server.addresses;
  await using client = await RawClient.connect({ host: "127.0.0.1", port: address?.port ?? 0 });
  await client.readReply();
  await client.expect(500, "LANG");
});
