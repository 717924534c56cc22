import { AccountChain } from "../../lib/accounts/account_chain.ts";
import type { AccountEntry, EntrySource } from "../../lib/accounts/account_entries.ts";
import { AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import { HookAccounts } from "../../lib/accounts/hook_accounts.ts";
import { LdapAccounts } from "../../lib/accounts/ldap/ldap_accounts.ts";
import { verifyPassword } from "../../lib/accounts/password_verifier.ts";
import { PostgresAccounts } from "../../lib/accounts/postgres_accounts.ts";
import { VirtualAccounts } from "../../lib/accounts/virtual_accounts.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { rulesOf } from "../../lib/server/account_rule_set.ts";
import { createServices } from "../../lib/server/account_quotas.ts";
import { EntryAccounts } from "../../lib/server/entry_accounts.ts";
import { readAccountEntry } from "../../lib/settings/account_entry.ts";
import { resolveConfiguration } from "../../lib/settings/validate.ts";
import { clearOf, type SourceScene, testAccountSource } from "../helpers/account_source_conformance.ts";
import { AccountHook } from "../helpers/account_hook.ts";
import { BASE, IS_SLAPD_ABSENT, SEARCHER, Slapd } from "../helpers/slapd.ts";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";

const STORE = {
  type: "s3",
  endpoint: "https://s3.example.org",
  bucket: "files",
  accessKeyFile: "a",
  secretKeyFile: "b",
};
/** A home that needs no folder of the host. */
const HOME = { store: "archive", path: "/a" };

/** Accounts of entries, with homes in memory. */
function accountsOf(source: EntrySource, homes?: string): EntryAccounts {
  return new EntryAccounts(source, {
    homes,
    rememberSeconds: 0,
    configuration: resolveConfiguration({ anonymous: { home: "/srv" }, stores: { archive: STORE } }),
    acceptRisks: [],
    openHome: () => new MemoryFileSystem(),
    services: createServices(),
    onProblem: (account, reason) => {
      throw new Error(`${account}: ${reason}`);
    },
  });
}

function withoutNothing(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** The accounts of a file. */
function fileScene(): SourceScene {
  const source = new VirtualAccounts({ openHome: () => new MemoryFileSystem() });
  return {
    source,
    put: (name, { password, messages, expires, addresses, hours, ...options }) => {
      if (source.hasUser(name)) source.removeUser(name);
      const user = readAccountEntry(
        { name, password, home: "/home", ...withoutNothing({ expires, addresses, hours }) },
        { groups: {}, stores: {} },
        (path) => path,
      );
      source.addUser(name, password, "/home", {
        ...options,
        rules: rulesOf(user, user.name),
        ...messages?.login && { loginMessage: messages.login },
        ...messages?.quit && { quitMessage: messages.quit },
      });
      return Promise.resolve();
    },
    remove: (name) => Promise.resolve(source.removeUser(name)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

testAccountSource({ name: "VirtualAccounts", setUp: () => Promise.resolve(fileScene()) });

testAccountSource({
  name: "PostgresAccounts",
  ignore: IS_POSTGRES_ABSENT,
  setUp: async () => {
    const database = await TestDatabase.open();
    const connection = await database.connect();
    const query = (text: string, values: readonly string[]) => connection.query(text, values, 10_000);
    return {
      source: accountsOf(new PostgresAccounts({ query })),
      put: async (name, { password, ...settings }) => {
        await query(
          `INSERT INTO ftpsd.account (name, password, settings) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET password = $2, settings = $3`,
          [name, password, JSON.stringify({ home: HOME, ...settings })],
        );
      },
      remove: async (name) => void await query("DELETE FROM ftpsd.account WHERE name = $1", [name]),
      [Symbol.asyncDispose]: async () => {
        connection[Symbol.dispose]();
        await database[Symbol.asyncDispose]();
      },
    };
  },
});

testAccountSource({
  name: "AccountChain",
  setUp: () => {
    const entries = new Map<string, AccountEntry>();
    let isAway = false;
    const find = (name: string) => {
      if (isAway) throw new AuthorizerBusyError("It is away");
      return entries.get(name);
    };
    return Promise.resolve({
      source: new AccountChain([fileScene().source, accountsOf({ find })]),
      put: (name, account) => Promise.resolve(void entries.set(name, { name, home: HOME, ...account })),
      remove: (name) => Promise.resolve(void entries.delete(name)),
      takeAway: () => {
        isAway = true;
        return () => void (isAway = false);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
});

testAccountSource({
  name: "HookAccounts",
  setUp: async () => {
    const entries = new Map<string, AccountEntry>();
    const hook = await AccountHook.start(async ({ username, password }) => {
      const { password: hash = "", ...entry } = entries.get(username) ?? {};
      const isRight = hash !== "" && await verifyPassword(password, hash);
      return isRight ? Response.json(entry) : new Response(null, { status: 401 });
    });
    const { answer, url, tokenFile } = hook;
    const accounts = new HookAccounts({ url, tokenFile });
    return {
      isDelegated: true,
      source: accountsOf(accounts),
      put: (name, account) => Promise.resolve(void entries.set(name, { name, home: HOME, ...account })),
      remove: (name) => Promise.resolve(void entries.delete(name)),
      takeAway: () => {
        hook.answer = () => new Response(null, { status: 503 });
        return () => void (hook.answer = answer);
      },
      [Symbol.asyncDispose]: async () => {
        accounts[Symbol.dispose]();
        await hook[Symbol.asyncDispose]();
      },
    };
  },
});

testAccountSource({
  name: "LdapAccounts",
  ignore: IS_SLAPD_ABSENT,
  setUp: async () => {
    const slapd = await Slapd.start();
    const homes = `${slapd.path}/homes`;
    await Deno.mkdir(homes, { mode: 0o755 });
    await Deno.writeTextFile(`${slapd.path}/search.pw`, SEARCHER.password);
    const accounts = new LdapAccounts({
      addresses: [{ host: "127.0.0.1", port: slapd.ports.ldaps, tls: "implicit", ca: await slapd.authority() }],
      bindDn: SEARCHER.dn,
      bindPasswordFile: `${slapd.path}/search.pw`,
      searchBase: `ou=people,${BASE}`,
      searchFilter: "(uid={name})",
      home: `${homes}/{name}`,
      timeout: 2,
    });
    return {
      isDelegated: true,
      isDirectory: true,
      source: accountsOf(accounts, homes),
      put: async (name, { password }) => {
        await Deno.mkdir(`${homes}/${name}`, { recursive: true, mode: 0o755 });
        await slapd.putPerson(name, clearOf(password));
      },
      remove: (name) => slapd.removePerson(name),
      takeAway: async () => {
        await slapd.stop();
        return () => slapd.restart();
      },
      [Symbol.asyncDispose]: async () => {
        accounts[Symbol.dispose]();
        await slapd[Symbol.asyncDispose]();
      },
    };
  },
});
