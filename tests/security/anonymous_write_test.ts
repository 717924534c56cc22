import { assert, assertEquals, assertThrows } from "@std/assert";
import { InsecureConfigurationError, WRITE_PERMISSIONS } from "../../lib/accounts/permission.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";

const HOME = "/srv/ftp/pub";

function assertRefused(attempt: () => void, permissions: string, letter: string): void {
  const error = assertThrows(attempt, InsecureConfigurationError);
  assertEquals(error.risk, "anonymous-write");
  assertEquals(
    error.message,
    `Cannot give anonymous the permissions "${permissions}": "${letter}" lets anybody write; ` +
      "remove it, or set forceWrite",
  );
}

Deno.test("anonymous cannot be added with any letter that writes", () => {
  for (const letter of WRITE_PERMISSIONS) {
    const authorizer = new VirtualAuthorizer();
    const permissions = `elr${letter}`;
    assertRefused(() => authorizer.addAnonymous(HOME, { permissions }), permissions, letter);
    assertRefused(() => authorizer.addAnonymous(HOME, { permissions, forceWrite: false }), permissions, letter);
    assertRefused(() => authorizer.addUser("anonymous", "12345", HOME, { permissions }), permissions, letter);
    assert(!authorizer.hasUser("anonymous"));
  }
});

Deno.test("anonymous cannot be added with an override that writes", () => {
  for (const letter of WRITE_PERMISSIONS) {
    const authorizer = new VirtualAuthorizer();
    const overrides = [{ path: "/a", permissions: "elr" }, { path: "/incoming", permissions: letter }];
    assertRefused(() => authorizer.addAnonymous(HOME, { overrides }), letter, letter);
    assertRefused(() => authorizer.addUser("anonymous", "12345", HOME, { overrides }), letter, letter);
    assert(!authorizer.hasUser("anonymous"));
  }
});

Deno.test("anonymous cannot be given a letter that writes afterwards", async () => {
  for (const letter of WRITE_PERMISSIONS) {
    const authorizer = new VirtualAuthorizer();
    authorizer.addAnonymous(HOME);
    const permissions = `e${letter}`;
    assertRefused(() => authorizer.overridePermissions("anonymous", "/incoming", permissions), permissions, letter);
    assert(!(await authorizer.hasPermission("anonymous", letter as "w", "/incoming")));
  }
});

Deno.test("anonymous cannot be made to write by changing options that were accepted", async () => {
  const authorizer = new VirtualAuthorizer();
  const override = { path: "/incoming", permissions: "elr" };
  authorizer.addAnonymous(HOME, { overrides: [override] });
  override.permissions = "elrw";
  assert(!(await authorizer.hasPermission("anonymous", "w", "/incoming")));
});

Deno.test("anonymous may write everywhere it is told to with forceWrite", async () => {
  const authorizer = new VirtualAuthorizer();
  const overrides = [{ path: "/incoming", permissions: "elw", recursive: true }];
  authorizer.addAnonymous(HOME, { permissions: "elradfmwMT", overrides, forceWrite: true });
  authorizer.overridePermissions("anonymous", "/outgoing", "elrd", { recursive: true });
  const may = (letter: "d" | "w", path: string) => authorizer.hasPermission("anonymous", letter, path);
  assertEquals([await may("w", "/"), await may("w", "/incoming/a"), await may("d", "/outgoing/a")], [true, true, true]);
  assertEquals([await may("d", "/incoming/a"), await may("w", "/outgoing/a")], [false, false]);
});
