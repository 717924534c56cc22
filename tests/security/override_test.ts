import { assertEquals } from "@std/assert";
import type { CommandChanges } from "../../lib/commands/command_changes.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

/** A server on which the user may do all, but for some folders. */
async function start(
  commands: CommandChanges = {},
): Promise<{ readonly server: TestServer; readonly home: MemoryFileSystem }> {
  const home = MemoryFileSystem.of({ "/dir/sub/f": "", "/a/secret/f": "content", "/b/f": "", "/drop/f": "content" });
  const authorizer = new VirtualAuthorizer();
  authorizer.addUser(USER.name, USER.password, home, {
    permissions: "elradfmwMT",
    overrides: [
      { path: "/dir", permissions: "elr" },
      { path: "/a/secret", permissions: "", recursive: true },
      { path: "/drop", permissions: "edflw", recursive: true },
    ],
  });
  return { server: await TestServer.start({ server: { authorizer, commands } }), home };
}

Deno.test("STOU obeys the override of the folder in which it makes the file", async () => {
  const { server, home } = await start();
  await using _ = server;
  await using client = await server.login();
  await using _data = await client.passive();
  await client.expect(550, "STOR /dir/f");
  await client.expect(550, "STOU /dir/sub");
  const names = await Array.fromAsync(home.list("/dir"), ({ name }) => name);
  assertEquals(names, ["sub"]);
});

for (const letter of ["f", "d", "w", "m"] as const) {
  Deno.test(`Overrides are not lost by renaming a folder above them, nor covered by another: by ${letter}`, async () => {
    const { server } = await start({ permissions: { RNFR: letter, RNTO: letter } });
    await using _ = server;
    await using client = await server.login();
    for (const path of ["/a/secret", "/a", "/drop"]) {
      assertEquals((await client.expect(550, `RNFR ${path}`)).text, "550 Not enough privileges.");
    }
    await client.expect(350, "RNFR /b");
    for (const path of ["/a", "/a/secret", "/drop"]) {
      assertEquals((await client.expect(550, `RNTO ${path}`)).text, "550 Not enough privileges.");
      await client.expect(350, "RNFR /b");
    }
    await client.expect(250, "RNTO /c");
  });
}

/** Commands that do what another one does, whose changed letter the user has not; all letters but it. */
const DETOURS: readonly {
  readonly of: string;
  readonly permissions: string;
  readonly line: string;
  readonly unchanged: number;
}[] = [
  { of: "MFMT", permissions: "elrafmwMT", line: "MDTM 20200101000000 /b/f", unchanged: 213 },
  { of: "MFMT", permissions: "elrafmwMT", line: "MFF modify=20200101000000; /b/f", unchanged: 213 },
  { of: "SITE CHMOD", permissions: "elrafmwMT", line: "MFF unix.mode=600; /b/f", unchanged: 213 },
];

for (const { of, permissions, line, unchanged } of DETOURS) {
  for (
    const [how, commands, code] of [
      ["unchanged", {}, unchanged],
      ["with another letter", { permissions: { [of]: "d" } }, 550],
      ["disabled", { disabled: [of] }, 550],
    ] as const
  ) {
    Deno.test(`${line.split("=")[0]} asks for the right of ${of}: ${how}`, async () => {
      await using server = await startWith(permissions, commands);
      await using client = await server.login();
      await client.expect(code, line);
    });
  }
}

for (
  const [how, commands, code] of [
    ["unchanged", {}, 150],
    ["with another letter", { permissions: { APPE: "d" } }, 550],
    ["disabled", { disabled: ["APPE"] }, 550],
  ] as const
) {
  Deno.test(`STOR behind REST, where nothing is overwritten, asks for the right of APPE: ${how}`, async () => {
    await using server = await startWith("elrafmwMT", commands, { overwrite: false });
    await using client = await server.login();
    await client.expect(200, "TYPE I");
    await client.expect(350, "REST 7");
    await using _data = await client.passive();
    await client.expect(code, "STOR /b/f");
  });
}

Deno.test("STOU asks for its own letter only, for the folder in which it makes the file too", async () => {
  await using server = await startWith("elrm", { permissions: { STOU: "m" } });
  await using client = await server.login();
  assertEquals((await client.store("", new Uint8Array(1), "STOU")).code, 226);
});

async function startWith(
  permissions: string,
  commands: CommandChanges,
  upload: { readonly overwrite?: boolean } = {},
): Promise<TestServer> {
  const authorizer = new VirtualAuthorizer();
  authorizer.addUser(USER.name, USER.password, MemoryFileSystem.of({ "/b/f": "content" }), { permissions });
  return await TestServer.start({ server: { authorizer, commands, upload } });
}
