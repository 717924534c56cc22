import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { AccountRowError } from "../../lib/accounts/account_entries.ts";
import { AuthorizerBusyError, LoginRefusedError } from "../../lib/accounts/authorizer.ts";
import { LdapAccounts, type LdapAccountsOptions } from "../../lib/accounts/ldap/ldap_accounts.ts";
import type { LdapAddress } from "../../lib/accounts/ldap/ldap_connection.ts";
import { BASE, IS_SLAPD_ABSENT, personOf, SEARCHER, Slapd, type SlapdOptions } from "../helpers/slapd.ts";

const { signal } = new AbortController();
const PEOPLE = `ou=people,${BASE}`;
const GROUPS = `ou=groups,${BASE}`;
const SEARCH = { searchBase: PEOPLE, searchFilter: "(uid={name})", home: "/srv/{name}" };
const TEMPLATE = { userDn: `uid={name},${PEOPLE}`, home: "/srv/{name}" };

function group(name: string, ...members: readonly string[]): string {
  const lines = members.map((uid) => `member: uid=${uid},${PEOPLE}\n`).join("");
  return `dn: cn=${name},${GROUPS}\nobjectClass: groupOfNames\ncn: ${name}\n${lines}`;
}

const LDIF = [
  personOf("alice", "of alice"),
  personOf("bob", "of bob"),
  group("partners", "alice"),
  group("staff", "bob"),
].join("\n");

interface Scene {
  readonly slapd: Slapd;
  readonly implicit: LdapAddress;
  readonly startTls: LdapAddress;
  /** Who searches, for options. */
  readonly searcher: { readonly bindDn: string; readonly bindPasswordFile: string };
  open(options: Partial<LdapAccountsOptions>): LdapAccounts;
}

function test(name: string, run: (scene: Scene) => Promise<void>, options: SlapdOptions = { ldif: LDIF }): void {
  Deno.test({
    name,
    ignore: IS_SLAPD_ABSENT,
    fn: async () => {
      await using slapd = await Slapd.start(options);
      using opened = new DisposableStack();
      const bindPasswordFile = `${slapd.path}/search.pw`;
      await Deno.writeTextFile(bindPasswordFile, `${SEARCHER.password}\n`, { mode: 0o600 });
      const common = { host: "127.0.0.1", ca: await slapd.authority() };
      const implicit: LdapAddress = { ...common, port: slapd.ports.ldaps, tls: "implicit" };
      const startTls: LdapAddress = { ...common, port: slapd.ports.ldap, tls: "starttls" };
      const searcher = { bindDn: SEARCHER.dn, bindPasswordFile };
      const open = (options: Partial<LdapAccountsOptions>) =>
        opened.use(new LdapAccounts({ addresses: [implicit], ...options }));
      await run({ slapd, implicit, startTls, searcher, open });
    },
  });
}

/** The name that comes in, or why it does not. */
async function login(accounts: LdapAccounts, username: string, password: string): Promise<string | undefined> {
  return (await accounts.login({ username, password, remoteHost: "192.0.2.1" }, { signal }))?.name;
}

test("LdapAccounts.login() searches and binds, or binds at once, over TLS from the start and StartTLS", async ({ implicit, startTls, searcher, open }) => {
  for (const address of [implicit, startTls]) {
    for (const how of [{ ...SEARCH, ...searcher }, TEMPLATE]) {
      const accounts = open({ ...how, addresses: [address] });
      for (let times = 0; times < 2; times++) {
        assertEquals(await accounts.login({ username: "alice", password: "of alice", remoteHost: "::1" }, { signal }), {
          name: "alice",
          home: "/srv/alice",
          groups: [],
        });
        assertEquals(await login(accounts, "ALICE", "of alice"), "alice"); // as the directory has it
        for (
          const [name, password] of [["alice", "of bob"], ["bob", "of alice"], ["carol", "of alice"], [
            "alice",
            "",
          ]] as const
        ) {
          assertEquals(await login(accounts, name, password), undefined, `${name}:${password}`);
        }
      }
    }
  }
});

test("LdapAccounts.login() finds groups by memberOf and by a search, and gives homes and permissions", async ({ slapd, searcher, open }) => {
  const groups = [
    { dn: `CN=Partners, ${GROUPS}`, group: "partners" },
    { dn: `cn=staff,${GROUPS}`, group: "staff" },
    { dn: `cn=none,${GROUPS}`, group: "none" },
  ];
  // The overlay sees what is written while it runs.
  await slapd.modify(`dn: cn=staff,${GROUPS}\nchangetype: modify\nadd: member\nmember: uid=alice,${PEOPLE}\n`);
  const entryOf = async (options: Partial<LdapAccountsOptions>, username: string) =>
    await open({ ...SEARCH, ...searcher, groups, ...options })
      .login({ username, password: `of ${username}`, remoteHost: "::1" }, { signal });
  assertEquals((await entryOf({ groupBase: GROUPS }, "alice"))?.groups, ["partners", "staff"]);
  assertEquals((await entryOf({ groupBase: GROUPS }, "bob"))?.groups, ["staff"]);
  assertEquals((await entryOf({ groupBase: GROUPS, groupFilter: "(&(member={dn})(cn=p*))" }, "alice"))?.groups, [
    "partners",
  ]);
  assertEquals((await entryOf({}, "alice"))?.groups, ["staff"]);
  const more = { permissions: "elrw", homeAttribute: "homeDirectory", home: undefined, groups: undefined };
  assertEquals(await entryOf(more, "bob"), { name: "bob", home: "bob", groups: [], permissions: "elrw" });
});

test(
  "LdapAccounts.login() refuses what is not one account, with the reason for the log",
  async ({ slapd, searcher, open }) => {
    await slapd.putPerson("twice", "of twice", "uid: Other");
    await slapd.putPerson("../up", "of up");
    const accounts = open({ ...SEARCH, ...searcher });
    const several = open({ ...SEARCH, ...searcher, searchFilter: "(|(uid={name})(uid=bob))" });
    await assertRejects(() => login(several, "alice", "of alice"), LoginRefusedError, "several entries");
    assertEquals(await login(accounts, "twice", "of twice"), "twice");
    const byOther = open({ ...SEARCH, ...searcher, searchFilter: "(cn={name})", nameAttribute: "uid" });
    await slapd.modify(`dn: uid=twice,${PEOPLE}\nchangetype: modify\nreplace: cn\ncn: third\n`);
    await assertRejects(() => login(byOther, "third", "of twice"), AccountRowError, "several values of uid");
    await assertRejects(() => login(accounts, "../up", "of up"), AccountRowError, "no folder can have its name");
    const without = open({ ...SEARCH, ...searcher, nameAttribute: "employeeNumber" });
    await assertRejects(() => login(without, "alice", "of alice"), AccountRowError, "no employeeNumber");
    const hidden = open({ ...TEMPLATE, ...SEARCH });
    await assertRejects(
      () => login(hidden, "alice", "of alice"),
      LoginRefusedError,
      "its entry in the directory cannot be found",
    );
  },
);

test(
  "LdapAccounts.login() lets in the entry that proved itself, and no other that is found by the name",
  async ({ open }) => {
    const mixed = open({ ...TEMPLATE, ...SEARCH, searchFilter: "(&(uid=bob)(!(uid={name})))" });
    await assertRejects(() => login(mixed, "alice", "of alice"), LoginRefusedError, "another entry than came in");
    assertEquals(await login(open({ ...TEMPLATE, ...SEARCH }), "alice", "of alice"), "alice");
  },
  { ldif: LDIF, databaseLines: "access to attrs=userPassword by anonymous auth\naccess to * by users read" },
);

test("LdapAccounts.login() takes a service account that cannot log in, or a base that is not there, for no answer", async ({ slapd, searcher, open }) => {
  const file = `${slapd.path}/wrong.pw`;
  await Deno.writeTextFile(file, "wrong");
  const causeOf = async (options: Partial<LdapAccountsOptions>) => {
    const error = await assertRejects(() => login(open(options), "alice", "of alice"), AuthorizerBusyError);
    assert(error.isOutage && !error.countsAsFailure);
    return String(error.cause);
  };
  assertStringIncludes(await causeOf({ ...SEARCH, ...searcher, bindPasswordFile: file }), "bindDn cannot log in");
  assertStringIncludes(await causeOf({ ...SEARCH, ...searcher, bindPasswordFile: `${file}.none` }), "No such file");
  assertStringIncludes(await causeOf({ ...SEARCH, ...searcher, searchBase: "dc=none" }), "127.0.0.1:");
});

test("LdapAccounts.login() trusts nobody without a certificate that leads up to who is trusted, for this name", async ({ implicit, startTls, open }) => {
  for (const { ca: _, ...address } of [implicit, startTls]) {
    const accounts = open({ ...TEMPLATE, addresses: [address] });
    const error = await assertRejects(() => login(accounts, "alice", "of alice"), AuthorizerBusyError);
    assertStringIncludes(String(error.cause), "self-signed certificate in certificate chain");
  }
  for (const address of [implicit, startTls]) {
    const accounts = open({ ...TEMPLATE, addresses: [{ ...address, host: "127.0.0.2" }] }); // where it listens, too
    const error = await assertRejects(() => login(accounts, "alice", "of alice"), AuthorizerBusyError);
    assertStringIncludes(String(error.cause), "127.0.0.2 is not in the cert's list");
  }
  assertEquals(
    await login(open({ ...TEMPLATE, addresses: [{ ...implicit, host: "localhost" }] }), "alice", "of alice"),
    "alice",
  );
});

test("LdapAccounts.login() asks the next server where one is away or hangs, and the first again when it is back", async ({ slapd, implicit, searcher, open }) => {
  await using other = await Slapd.start({ ldif: personOf("alice", "of the other") });
  const second: LdapAddress = { ...implicit, port: other.ports.ldaps, ca: await other.authority() };
  const accounts = open({
    ...SEARCH,
    ...searcher,
    addresses: [implicit, second],
    timeout: 0.5,
    maxFailures: 2,
    openMs: 100,
  });
  assertEquals(await login(accounts, "alice", "of alice"), "alice");
  await slapd.stop();
  assertEquals(await login(accounts, "alice", "of the other"), "alice");
  assertEquals(await login(accounts, "alice", "of alice"), undefined);
  await slapd.restart();
  const until = performance.now() + 5_000;
  while (await login(accounts, "alice", "of alice") === undefined) assert(performance.now() < until);
  slapd.signal("SIGSTOP");
  assertEquals(await login(accounts, "alice", "of the other"), "alice");
  slapd.signal("SIGCONT");
  await Promise.all([slapd.stop(), other.stop()]);
  const error = await assertRejects(() => login(accounts, "alice", "of alice"), AuthorizerBusyError);
  assert(error.isOutage);
});

test("LdapAccounts.login() uses connections again, also after the directory was started anew", async ({ slapd, searcher, open }) => {
  const accounts = open({ ...SEARCH, ...searcher });
  for (let times = 0; times < 2; times++) {
    assertEquals(await login(accounts, "alice", "of alice"), "alice");
    await slapd.stop();
    await slapd.restart();
  }
  const logins = await Promise.all(
    Array.from({ length: 50 }, (_, index) => login(accounts, index % 2 === 0 ? "alice" : "bob", "of alice")),
  );
  assertEquals(logins.filter((name) => name === "alice").length, 25);
  assertEquals(logins.filter((name) => name === undefined).length, 25);
});

test(
  "LdapAccounts.login() says what an account lacks that the directory does not let in, and shows no password",
  async ({ searcher, open }) => {
    const accounts = open({ ...SEARCH, ...searcher });
    const refused = await assertRejects(() => login(accounts, "alice", "of alice"), Error);
    assert(!refused.message.includes("of alice"));
  },
  { ldif: LDIF, databaseLines: "restrict bind\n" },
);
