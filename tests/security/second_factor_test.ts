import { assert, assertEquals, assertRejects } from "@std/assert";
import type { AccountEntry } from "../../lib/accounts/account_entries.ts";
import { type CodeRegister, UsedCodes } from "../../lib/accounts/code_register.ts";
import { PasswordAuthorizer } from "../../lib/accounts/password_authorizer.ts";
import { deriveDigest } from "../../lib/accounts/password_digest.ts";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { TotpFactor } from "../../lib/accounts/totp_factor.ts";
import { VirtualAccounts } from "../../lib/accounts/virtual_accounts.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { createServices } from "../../lib/server/account_quotas.ts";
import { EntryAccounts } from "../../lib/server/entry_accounts.ts";
import { resolveConfiguration } from "../../lib/settings/validate.ts";
import { CODE_SECRET, codeAt } from "../helpers/codes.ts";
import { TestServer } from "../helpers/test_server.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

const [HASH, OTHER_HASH] = await Promise.all([hashPassword("12345", { ln: 10 }), hashPassword("12345", { ln: 11 })]);
const NOW = 1_700_000_010_000;

/** Accounts of two costs, one of them with codes; and the costs of the digests that were computed. */
function setUp(
  options: { readonly remember?: number; readonly register?: CodeRegister; readonly password?: string } = {},
) {
  const { remember = 0, register = new UsedCodes({ now: () => 0 }), password = HASH } = options;
  const computed: number[] = [];
  const accounts = new VirtualAccounts({
    openHome: () => new MemoryFileSystem(),
    derive: (password, parameters) => {
      computed.push(parameters.cost.ln);
      return deriveDigest(password, parameters);
    },
  });
  const secondFactor = new TotpFactor({ secret: CODE_SECRET, remember, register, now: () => NOW });
  accounts.addUser("alice", password, "/home", { secondFactor });
  accounts.addUser("bob", OTHER_HASH, "/home");
  const login = async (password: string, username = "alice", remoteHost = "192.0.2.1") => {
    computed.length = 0;
    return await accounts.authenticate({ username, password, remoteHost }, UNABORTED) !== undefined;
  };
  return { accounts, computed, login };
}

Deno.test("a code goes behind the password, and neither is anything without the other", async () => {
  for (const password of [HASH, "12345"]) {
    const { login } = setUp({ password });
    const code = codeAt(NOW);
    for (
      const given of [
        "12345",
        code,
        `${code}12345`,
        `12345${codeAt(NOW, 3)}`,
        `1234${code}`,
        `12345 ${code}`,
        "",
        `12345${code} `,
      ]
    ) {
      assert(!await login(given), given);
    }
    assert(await login(`12345${code}`));
  }
});

Deno.test("a code is used up by a right password alone, and then right for nobody", async () => {
  const { login } = setUp();
  const code = codeAt(NOW);
  for (let times = 0; times < 3; times++) assert(!await login(`wrong${code}`));
  assert(await login(`12345${code}`));
  assertEquals([await login(`12345${code}`), await login(`12345${code}`, "alice", "192.0.2.2")], [false, false]);
  assert(await login(`12345${codeAt(NOW, 1)}`));
});

Deno.test("a right password with a wrong or used code takes the work of a wrong password, with and without remembering", async () => {
  for (const remember of [0, 3600]) {
    const { login, computed } = setUp({ remember });
    await login("wrong000000");
    const work = computed.toSorted();
    assertEquals(work, [10, 11]);
    assert(await login(`12345${codeAt(NOW)}`));
    const cases = [["12345000000", "192.0.2.1"], [`12345${codeAt(NOW)}`, "192.0.2.2"], ["12345", "192.0.2.1"]] as const;
    for (const [given, address] of [...cases, [`wrong${codeAt(NOW)}`, "192.0.2.1"]] as const) {
      assert(!await login(given, "alice", address));
      assertEquals(computed.toSorted(), work, given);
    }
    assertEquals(await login(`12345${codeAt(NOW)}`), remember > 0);
    assertEquals(computed.length, remember > 0 ? 0 : 2);
  }
});

Deno.test("a login that is remembered does not outlive its account, its password or the sessions that an operator ends", async () => {
  for (const password of [HASH, "12345"]) {
    const register = new UsedCodes({ now: () => 0 });
    const { login, accounts } = setUp({ remember: 3600, register, password });
    const given = `12345${codeAt(NOW)}`;
    assertEquals([await login(given), await login(given)], [true, true]);
    register.forget("alice"); // as a kick does
    assert(!await login(given));
    const next = `12345${codeAt(NOW, 1)}`;
    assertEquals([await login(next), await login(next)], [true, true]);
    accounts.removeUser("alice");
    assert(!await login(next));
    const secondFactor = new TotpFactor({ secret: CODE_SECRET, register, now: () => NOW });
    accounts.addUser("alice", "another", "/home", { secondFactor });
    assert(!await login(next));
  }
});

Deno.test("who guesses codes with the right password is banned as one who guesses passwords, also without waiting for answers", async () => {
  const { accounts: authorizer } = setUp();
  const settings = { ban: { failures: 5 }, timeouts: { failedLogin: 0 } };
  await using server = await TestServer.start({ server: { authorizer, ...settings } });
  const guess = async (code: string) => {
    await using client = await server.connect();
    await client.command("USER alice");
    return (await client.command(`PASS 12345${code}`)).text;
  };
  for (let times = 0; times < 3; times++) assertEquals(await guess("000000"), "530 Authentication failed.");
  {
    await using impatient = await server.connect();
    await impatient.expect(331, "USER alice");
    await impatient.send("PASS 12345000000\r\n");
  }
  await server.event("disconnected", () => server.events.filter(({ event }) => event === "disconnected").length >= 4);
  assertEquals(await guess("000000"), "421 Too many failed logins, try again later.");
  assert(server.events.some(({ event }) => event === "banned"));
  assert(!Deno.inspect(server.events, { depth: 9 }).includes("12345"));
});

Deno.test("a source that knows a name by several spellings takes a code once, whichever is used", async () => {
  const entry: AccountEntry = {
    name: "alice",
    password: HASH,
    home: { store: "archive", path: "/a" },
    totp: { secret: CODE_SECRET, remember: 0 },
  };
  const store = {
    type: "s3",
    endpoint: "https://s3.example.org",
    bucket: "files",
    accessKeyFile: "a",
    secretKeyFile: "b",
  };
  const source = new EntryAccounts({ find: (name) => name.toLowerCase() === "alice" ? entry : undefined }, {
    configuration: resolveConfiguration({ anonymous: { home: "/srv" }, stores: { archive: store } }),
    acceptRisks: [],
    openHome: () => new MemoryFileSystem(),
    services: createServices(),
    codes: new UsedCodes({ now: () => 0 }),
    onProblem: (account, reason) => assertEquals([account, reason], []),
  });
  const authorizer = new PasswordAuthorizer(source);
  const login = async (username: string, code: string) =>
    await authorizer.authenticate({ username, password: `12345${code}`, remoteHost: "192.0.2.1" }, UNABORTED);
  const code = codeAt();
  assertEquals((await login("Alice", code))?.username, "alice");
  assertEquals([await login("alice", code), await login("ALICE", code)], [undefined, undefined]);
});

Deno.test("an entry whose codes cannot be read lets nobody in, whatever its password", async () => {
  const totps = [{}, { secret: "GEZDGNBV" }, { secretFile: "/etc/ftpsd/alice.totp" }, {
    secret: CODE_SECRET,
    digits: 4,
  }, "on"];
  for (const totp of totps) {
    const entry: AccountEntry = { name: "alice", password: HASH, home: "/a", totp };
    const source = new EntryAccounts({ find: () => entry }, {
      configuration: resolveConfiguration({ anonymous: { home: "/srv" } }),
      acceptRisks: [],
      openHome: () => new MemoryFileSystem(),
      services: createServices(),
      onProblem: () => {},
    });
    const authorizer = new PasswordAuthorizer(source);
    for (const password of ["12345", `12345${codeAt()}`]) {
      const login = () => authorizer.authenticate({ username: "alice", password, remoteHost: "192.0.2.1" }, UNABORTED);
      assert(!(await assertRejects(login, Error, "totp")).message.includes(CODE_SECRET));
    }
  }
});
