import { assert, assertEquals, assertExists, assertRejects, assertThrows } from "@std/assert";
import type { Account } from "../../lib/accounts/authorizer.ts";
import { FileSystemError } from "../../lib/filesystem/filesystem.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

async function login(authorizer: VirtualAuthorizer, username: string): Promise<Account> {
  const credentials = { username, password: "12345", remoteHost: "127.0.0.1" };
  const account = await authorizer.authenticate(credentials, { signal: new AbortController().signal });
  assertExists(account);
  return account;
}

Deno.test("VirtualAuthorizer opens folders of the host as homes, and sees uploads across those that overlap", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/alice`);
    const authorizer = new VirtualAuthorizer();
    authorizer.addUser("admin", "12345", folder, { permissions: "elradfmwMT" });
    authorizer.addUser("alice", "12345", `${folder}/alice`, { permissions: "elrw" });
    const admin = (await login(authorizer, "admin")).fileSystem;
    const alice = (await login(authorizer, "alice")).fileSystem;
    const upload = await alice.openWrite?.("/report.txt", "truncate", UNABORTED);
    assertExists(upload);
    try {
      assertEquals((await admin.stat("/alice/report.txt", UNABORTED)).type, "file");
      const refused = async () => await admin.openWrite?.("/alice/report.txt", "truncate", UNABORTED);
      assertEquals((await assertRejects(refused, FileSystemError)).kind, "busy");
    } finally {
      upload.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("VirtualAuthorizer decides about overrides by what is in the folder", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/incoming/done`, { recursive: true });
    const authorizer = new VirtualAuthorizer();
    authorizer.addUser("alice", "12345", folder);
    authorizer.overridePermissions("alice", "/incoming", "elw");
    assert(await authorizer.hasPermission("alice", "w", "/incoming/new.txt"));
    assert(!(await authorizer.hasPermission("alice", "w", "/incoming/done")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("VirtualAuthorizer refuses limits that make no sense", () => {
  assertThrows(() => new VirtualAuthorizer({ maxRunning: 0 }), RangeError, "Cannot run 0 at once");
});
