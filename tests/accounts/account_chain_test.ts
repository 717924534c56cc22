import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AccountChain } from "../../lib/accounts/account_chain.ts";
import type { AccountSource } from "../../lib/accounts/account_source.ts";
import { AuthorizerBusyError, type Credentials, LoginRefusedError } from "../../lib/accounts/authorizer.ts";
import { PasswordAuthorizer } from "../../lib/accounts/password_authorizer.ts";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";

const { signal } = new AbortController();
const home = new MemoryFileSystem();
const [ONE, TWO] = await Promise.all([hashPassword("one", { ln: 10 }), hashPassword("two", { ln: 11 })]);

/** A source that says for whom it was asked. */
function sourceOf(accounts: Readonly<Record<string, string>>, asked: string[] = []): AccountSource {
  return {
    find: (name) => {
      asked.push(name);
      const password = Object.hasOwn(accounts, name) ? accounts[name] : undefined;
      if (password === "away") throw new AuthorizerBusyError();
      return password === undefined ? undefined : { password, home };
    },
    costs: () => [{ scheme: "scrypt", ln: 10, r: 8, p: 1 }],
  };
}

function loginOf(chain: AccountSource) {
  const authorizer = new PasswordAuthorizer(chain);
  return (username: string, password: string) =>
    authorizer.authenticate({ username, password, remoteHost: "192.0.2.1" }, { signal });
}

Deno.test("AccountChain.find() takes the first source that knows a name, whatever the others say", async () => {
  const login = loginOf(new AccountChain([sourceOf({ alice: ONE }), sourceOf({ alice: TWO, bob: TWO })]));
  assert(await login("alice", "one") && await login("bob", "two"));
  assertEquals(await login("alice", "two"), undefined);
  assertEquals(await login("carol", "one"), undefined);
});

Deno.test("AccountChain.find() ends with a source that cannot be asked, for names that no earlier one knows", async () => {
  const login = loginOf(
    new AccountChain([sourceOf({ alice: ONE }), sourceOf({ bob: "away" }), sourceOf({ bob: TWO })]),
  );
  assert(await login("alice", "one"));
  await assertRejects(() => login("bob", "two"), AuthorizerBusyError);
});

Deno.test("AccountChain asks later sources after a wrong password alone, so that time does not tell where a name is", async () => {
  const asked: string[] = [];
  const login = loginOf(new AccountChain([sourceOf({ alice: ONE }), sourceOf({}, asked), sourceOf({ alice: "away" })]));
  assert(await login("alice", "one"));
  assertEquals(asked, []);
  assertEquals(await login("alice", "wrong"), undefined);
  assertEquals(asked, ["alice"]);
});

/** A source that checks passwords itself, and says what it was asked. */
function checking(accounts: Readonly<Record<string, string>>, asked: string[] = []): AccountSource {
  const check = ({ username, password }: Credentials) => {
    asked.push(`${username}:${password}`);
    if (accounts[username] === "expired") throw new LoginRefusedError("it has expired");
    return accounts[username] === password ? { username, password: "-", home } : undefined;
  };
  return { find: () => ({ password: { check, rememberSeconds: 0 }, home }), costs: () => [] };
}

Deno.test("AccountChain asks the next source where one that checks passwords itself refuses", async () => {
  const asked: string[] = [];
  const later: string[] = [];
  const sources = [
    checking({ alice: "a", eve: "expired" }, asked),
    sourceOf({ alice: ONE, bob: TWO, eve: ONE }, later),
  ];
  const login = loginOf(new AccountChain(sources));
  assert(await login("alice", "a"));
  assertEquals(later, []);
  assert(await login("alice", "one") && await login("bob", "two"));
  assertEquals(await login("carol", "one"), undefined);
  assertEquals([asked, later], [["alice:a", "alice:one", "bob:two", "carol:one"], ["alice", "bob", "carol"]]);
  // A reason to refuse is the end, but takes the same time.
  await assertRejects(() => login("eve", "one"), LoginRefusedError, "it has expired");
  assertEquals(later.at(-1), "eve");
});

Deno.test("AccountChain gives a decoy to a source that checks passwords itself, after a wrong password of an earlier one", async () => {
  const asked: string[] = [];
  const login = loginOf(new AccountChain([sourceOf({ alice: ONE }), checking({ alice: "wrong password" }, asked)]));
  assert(await login("alice", "one"));
  assertEquals(asked, []);
  assertEquals(await login("alice", "wrong password"), undefined);
  assertEquals(asked.length, 1);
  assertMatch(asked[0] ?? "", /^[a-z0-9]{5}:[a-z0-9]{14}$/);
  assert(!asked[0]?.includes("alice"));
  assertEquals(await login("alice", ""), undefined); // as the others, but nobody shows it
  assertMatch(asked[1] ?? "", /^[a-z0-9]{5}:[a-z0-9]{12}$/);
});

Deno.test("AccountChain lets nobody past an earlier source by another spelling of a name", async () => {
  const rules = { refusal: () => "the account has expired" };
  const costs = () => []; // no decoys: the time is not what is tested
  const file: AccountSource = { find: (name) => name === "alice" ? { password: ONE, home, rules } : undefined, costs };
  const check = ({ username, password }: Credentials) =>
    password === "two" ? { username: username.toLowerCase(), password: "-", home } : undefined;
  const directory: AccountSource = { find: () => ({ password: { check }, home }), costs };
  const table: AccountSource = { find: (name) => ({ username: name.toLowerCase(), password: TWO, home }), costs };
  for (const later of [directory, table]) {
    const login = loginOf(new AccountChain([file, later]));
    await assertRejects(() => login("alice", "one"), LoginRefusedError, "the account has expired");
    for (const name of ["ALICE", "Alice"]) {
      await assertRejects(() => login(name, "two"), LoginRefusedError, '"alice" is an account of an earlier source');
    }
    assertEquals((await login("BOB", "two"))?.username, "bob");
  }
});

Deno.test("AccountChain.costs() gives those of all sources, and the usual one for a source that does not say", () => {
  const silent: AccountSource = { find: () => undefined };
  const costs = new AccountChain([sourceOf({}), sourceOf({}), silent]).costs();
  assertEquals(costs.map((cost) => cost.scheme === "scrypt" && cost.ln), [10, 17]);
});
