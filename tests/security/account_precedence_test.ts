/** Users whom one source of accounts does not let in, and who try by the next one. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { type AccountEntry, AccountRowError } from "../../lib/accounts/account_entries.ts";
import { LoginRefusedError } from "../../lib/accounts/authorizer.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { toServerOptions } from "../../lib/server/configured_options.ts";
import { read } from "../settings/configuration_text.ts";

const { signal } = new AbortController();
const CONFIGURATION = `
users:
  - { name: alice, password: "12345", home: /srv/alice, enabled: false }
  - { name: bob, password: "12345", home: /srv/bob, expires: 2020-01-01 }
stores:
  s: { type: s3, endpoint: "https://s3.example.org", bucket: files, region: r, accessKeyFile: a.key, secretKeyFile: s.key }
accounts:
  - type: file
  - { type: http, url: "https://hook.example.org", tokenFile: hook.token }
`;

Deno.test("A user whom the file does not let in gets in by no later source, however the name is spelled", async () => {
  const { authorizer } = toServerOptions(read(CONFIGURATION), {}, new Date(), {
    openHome: () => new MemoryFileSystem(),
    entries: {
      find: () => undefined,
      login: (_source, { username, password }): AccountEntry | undefined =>
        password === "of the hook" ? { name: username.toLowerCase(), home: { store: "s", path: "/x" } } : undefined,
    },
  });
  const login = async (username: string, password = "of the hook") =>
    await authorizer?.authenticate({ username, password, remoteHost: "192.0.2.1" }, { signal });
  assert(await login("Carol"));
  for (const name of ["alice", "ALICE", "bob", "Bob"]) {
    await assertRejects(() => login(name), LoginRefusedError, undefined, name);
  }
  await assertRejects(() => login("alice", "12345"), LoginRefusedError, "the account is disabled");
  assertEquals(await login("ALICE", "12345"), undefined);
});

Deno.test("A user whom a table does not let in, or whose row cannot be used, gets in by no later source", async () => {
  const table = CONFIGURATION.replace("- type: file", "- type: file\n  - { type: postgres, urlFile: state.url }");
  const { authorizer } = toServerOptions(read(table), {}, new Date(), {
    openHome: () => new MemoryFileSystem(),
    entries: {
      find: (_source, name): AccountEntry | undefined => {
        if (name === "broken") throw new AccountRowError("settings is not JSON");
        if (name === "dave") return { name, enabled: false };
        return name === "clear" ? { name, password: "12345", home: { store: "s", path: "/x" } } : undefined;
      },
      login: (_source, { username }): AccountEntry => ({ name: username, home: { store: "s", path: "/x" } }),
    },
  });
  const login = async (username: string) =>
    await authorizer?.authenticate({ username, password: "12345", remoteHost: "192.0.2.1" }, { signal });
  assert(await login("carol"));
  const reasons = {
    alice: "the account is disabled",
    broken: "settings is not JSON",
    clear: "its password is no hash",
  };
  for (const [name, reason] of Object.entries(reasons)) {
    await assertRejects(() => login(name), LoginRefusedError, reason);
  }
});
