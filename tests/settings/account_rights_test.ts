import { assertEquals } from "@std/assert";
import { findPermissions } from "../../lib/accounts/permission.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { homesOf, lettersIn, mayWriteIn, permissionsOf } from "../../lib/settings/account_rights.ts";
import type { UserSettings } from "../../lib/settings/table.ts";
import { UNABORTED } from "../helpers/unaborted.ts";
import { read } from "./configuration_text.ts";

function user(lines: string): UserSettings {
  const [account] = read(`users:\n  - name: alice\n    password: x\n    home: /srv/alice\n${lines}`).users;
  if (account === undefined) throw new Error("There is no user");
  return account;
}

const ALICE = user(`    permissions: elrw
    mounts:
      - { path: /shared, home: /srv/shared, permissions: elr }
      - { path: /shared/team, home: /srv/team }
      - { path: /own, home: /srv/own }
    overrides:
      - { path: /shared/in, permissions: ew }
      - { path: /own, permissions: el }
`);

Deno.test("permissionsOf() gives mounts their letters, and overrides go before them", async () => {
  const rights = { ...permissionsOf(ALICE), fileSystem: MemoryFileSystem.of({ "/own/dir/x": "", "/shared/a/b": "" }) };
  for (
    const [path, letters] of [
      ["/", "elrw"],
      ["/x", "elrw"],
      ["/shared", "elr"],
      ["/shared/a/b", "elr"],
      ["/shared/in/x", "ew"],
      ["/shared/in/x/y", "elr"],
      ["/shared/team/x", "elr"],
      ["/sharedx", "elrw"],
      ["/own", "el"],
      ["/own/dir/x", "elrw"],
    ] as const
  ) assertEquals(await findPermissions(rights, path, UNABORTED), letters, path);
});

Deno.test("permissionsOf() lets an override of a mount point stand for that of the mount", async () => {
  const account = user(`    mounts: [{ path: /m, home: /srv/m, permissions: elw }]
    overrides: [{ path: /m, permissions: e, recursive: true }]
`);
  const rights = { ...permissionsOf(account), fileSystem: new MemoryFileSystem() };
  assertEquals(await findPermissions(rights, "/m/x", UNABORTED), "e");
});

Deno.test("mayWriteIn() and lettersIn() tell what holds in each home", () => {
  assertEquals(homesOf(ALICE).map(({ home, place }) => [home, place, mayWriteIn(ALICE, place)]), [
    ["/srv/alice", "/", true],
    ["/srv/shared", "/shared", true],
    ["/srv/team", "/shared/team", false],
    ["/srv/own", "/own", true],
  ]);
  assertEquals(lettersIn(ALICE, "/shared"), { atRoot: "elr", anywhere: ["elr", "elr", "ew"] });
  assertEquals(homesOf(ALICE).map(({ key }) => key.join(".")), [
    "home",
    "mounts.0.home",
    "mounts.1.home",
    "mounts.2.home",
  ]);
});

Deno.test("permissionsOf() leaves a drop box what it takes to bring files", () => {
  const account = user("    dropBox: true\n    mounts: [{ path: /in, home: /srv/in }]\n");
  assertEquals(permissionsOf(account), { permissions: "elw", overrides: [] });
  assertEquals([mayWriteIn(account, "/"), mayWriteIn(account, "/in")], [true, true]);
});
