import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { listNames, readText } from "../conformance/filesystem_conformance.ts";
import { answersTo, logIn, startConfigured } from "../helpers/configured_accounts.ts";
import type { TestServer } from "../helpers/test_server.ts";

const CONFIGURATION = `users:
  - name: alice
    password: secret
    home: /srv/alice
    permissions: elradfmwMT
    mounts:
      - { path: /company/shared, home: /srv/shared, permissions: elr }
      - { path: /company/shared/team, home: /srv/team, permissions: elrw }
      - { path: /store, home: /srv/store }
    overrides:
      - { path: /company/shared/team/closed, permissions: "", recursive: true }
`;

interface Scene {
  readonly server: TestServer;
  readonly alice: MemoryFileSystem;
  readonly shared: MemoryFileSystem;
  readonly team: MemoryFileSystem;
  readonly store: MemoryFileSystem;
}

async function start(): Promise<Scene> {
  const alice = MemoryFileSystem.of({ "/own.txt": "own", "/store/hidden.txt": "hidden", "/dir/x": "x" });
  const shared = MemoryFileSystem.of({ "/s.txt": "shared", "/team/hidden.txt": "hidden" });
  const team = MemoryFileSystem.of({ "/t.txt": "team", "/closed/x": "x" });
  const store = MemoryFileSystem.of({ "/a.txt": "a" }, { uploadsAppearWhole: true });
  const homes = { "/srv/alice": alice, "/srv/shared": shared, "/srv/team": team, "/srv/store": store };
  return { server: await startConfigured(CONFIGURATION, homes), alice, shared, team, store };
}

Deno.test("Mounts are in the listings of the folders above them, and can be walked into", async () => {
  const { server } = await start();
  await using _ = server;
  await using client = await logIn(server, "alice");
  assertEquals((await client.list("NLST")).split("\r\n").filter((name) => name !== ""), [
    "company",
    "dir",
    "own.txt",
    "store",
  ]);
  assertEquals(await client.list("NLST company"), "shared\r\n");
  await client.expect(250, "CWD company");
  await client.expect(250, "CWD shared");
  assertMatch(await client.list("MLSD"), /type=dir;.* team\r\n/);
  assertEquals(await client.list("NLST *"), "s.txt\r\nteam\r\n");
  await client.expect(250, "CWD team");
  assertEquals(new TextDecoder().decode(await client.retrieve("t.txt")), "team");
  await client.expect(250, "CDUP");
  assertStringIncludes((await client.command("PWD")).text, '"/company/shared"');
  await client.expect(250, "CWD /company/shared/../../store");
  await client.expect(213, "SIZE a.txt");
  await client.expect(550, "SIZE hidden.txt");
});

Deno.test("Mounts have their own permissions, and overrides in them hold", async () => {
  const { server, shared, team } = await start();
  await using _ = server;
  await using client = await logIn(server, "alice");
  const refused = "550 Not enough privileges.";
  assertEquals(await answersTo(client, "STOR /company/shared/new"), refused);
  assertEquals(await answersTo(client, "DELE /company/shared/s.txt"), refused);
  assertEquals(await answersTo(client, "MKD /company/shared/team/dir"), refused);
  assertEquals(await answersTo(client, "RETR /company/shared/team/closed/x"), refused);
  assertEquals(await answersTo(client, "STOR /company/shared/team/../new"), refused);
  assertMatch(await answersTo(client, "STOR /company/shared/team/new"), /\n226 /);
  assertEquals(await readText(team, "/new"), "brought");
  assertEquals(await listNames(shared, "/"), ["s.txt", "team"]);
});

Deno.test("Nothing is renamed across mounts, and no mount point is taken away", async () => {
  const { server, alice, store } = await start();
  await using _ = server;
  await using client = await logIn(server, "alice");
  for (
    const [from, to] of [["/own.txt", "/store/own.txt"], ["/store/a.txt", "/a.txt"], ["/dir", "/store/dir"]] as const
  ) {
    await client.expect(350, `RNFR ${from}`);
    assertEquals((await client.expect(550, `RNTO ${to}`)).text, "550 Permission denied.");
  }
  for (const path of ["/store", "/store/../store/", "/company", "/company/shared"]) {
    await client.expect(550, `RMD ${path}`);
    await client.expect(550, `DELE ${path}`);
    await client.expect(550, `MKD ${path}`);
    assertMatch(await answersTo(client, `STOR ${path}`), /^550 /);
    const { code } = await client.command(`RNFR ${path}`);
    if (code === 350) await client.expect(550, "RNTO /elsewhere");
    await client.expect(350, "RNFR /dir");
    await client.expect(550, `RNTO ${path}`);
  }
  assertEquals(await readText(alice, "/store/hidden.txt"), "hidden");
  assertEquals(await listNames(store, "/"), ["a.txt"]);
});

Deno.test("Uploads appear whole in the mount where they do, and while they are written elsewhere", async () => {
  const { server, alice, store } = await start();
  await using _ = server;
  await using client = await logIn(server, "alice");
  for (const [path, files, isThere] of [["/store/new", store, false], ["/new", alice, true]] as const) {
    await using data = await client.passive();
    await client.expect(150, `STOR ${path}`);
    await data.secure();
    await data.write(new TextEncoder().encode("part"));
    await using other = await logIn(server, "alice");
    const deadline = performance.now() + 5000;
    while (isThere && (await other.command(`SIZE ${path}`)).text !== "213 4" && performance.now() < deadline);
    assertEquals((await listNames(files, "/")).includes("new"), isThere, path);
    await data.finish();
    assertEquals((await client.readReply()).code, 226);
    assertEquals(await readText(files, "/new"), "part");
  }
  assertMatch(await answersTo(client, "STOU /store/u"), /\n226 /);
  await client.expect(350, "REST 1");
  assertMatch(await answersTo(client, "STOR /store/a.txt", "bc"), /\n226 /);
  assertEquals(await readText(store, "/a.txt"), "abc");
});
