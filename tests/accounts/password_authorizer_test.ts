import { assert, assertEquals, assertExists, assertRejects } from "@std/assert";
import type { AccountSource, FoundAccount } from "../../lib/accounts/account_source.ts";
import { type Account, AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import { InsecureConfigurationError } from "../../lib/accounts/permission.ts";
import { PasswordAuthorizer, type PasswordAuthorizerOptions } from "../../lib/accounts/password_authorizer.ts";
import { deriveDigest } from "../../lib/accounts/password_digest.ts";
import { hashPassword, StoredPassword } from "../../lib/accounts/password_hash.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { UNABORTED } from "../helpers/unaborted.ts";
import { makeTree } from "./directory_tree.ts";

const HOME = makeTree(["/", "/a", "/a/b"]);
const HASH = await hashPassword("12345", { ln: 10 });
const OTHER_HASH = await hashPassword("12345", { ln: 11 });

/** What a program in JavaScript may give. */
// deno-lint-ignore no-explicit-any -- that is what is tried
type Anything = any;

/** Computes the digests of the default cost, which takes half a second, for less. */
const derive: typeof deriveDigest = (password, parameters) =>
  deriveDigest(password, parameters.cost.ln > 11 ? { ...parameters, cost: { ln: 10, r: 1, p: 1 } } : parameters);

/** An authorizer of one source, that notes the cost of each digest it computes. */
function makeObserved(find: AccountSource["find"], rest: Partial<AccountSource> = {}) {
  const computed: number[] = [];
  const authorizer = new PasswordAuthorizer({ find, ...rest }, {
    derive(password, parameters) {
      computed.push(parameters.cost.ln);
      return derive(password, parameters);
    },
  });
  return { authorizer, computed };
}

function login(
  authorizer: PasswordAuthorizer,
  username = "alice",
  password = "12345",
  signal = UNABORTED.signal,
): Promise<Account | undefined> {
  return authorizer.authenticate({ username, password, remoteHost: "127.0.0.1" }, { signal });
}

/** Logs alice in, who is what the source says. */
function loginTo(account: Anything, options: PasswordAuthorizerOptions = {}): Promise<Account | undefined> {
  return login(new PasswordAuthorizer({ find: () => account }, { derive, ...options }));
}

Deno.test("PasswordAuthorizer gives the account that the source finds to its password only", async () => {
  const kept: readonly FoundAccount["password"][] = [
    "12345",
    HASH,
    new StoredPassword(HASH),
    new StoredPassword("12345"),
  ];
  for (const password of kept) {
    const authorizer = new PasswordAuthorizer({
      find: (name) => Promise.resolve(name === "alice" ? { password, home: HOME } : undefined),
    }, { derive });
    const account = await login(authorizer);
    assertExists(account);
    const { username, permissions, loginMessage, quitMessage, limits } = account;
    assertEquals({ username, permissions, loginMessage, quitMessage, limits }, {
      username: "alice",
      permissions: "elr",
      loginMessage: "Login successful.",
      quitMessage: "Goodbye.",
      limits: {},
    });
    assert(account.fileSystem === HOME);
    for (const wrong of ["", "1234", HASH]) assertEquals(await login(authorizer, "alice", wrong), undefined);
    assertEquals(await login(authorizer, "bob"), undefined);
  }
});

Deno.test("PasswordAuthorizer gives what else the source has of an account", async () => {
  const found = {
    username: "Alice",
    password: "12345",
    home: "/srv/alice",
    permissions: "elrw",
    loginMessage: "Hello.",
    quitMessage: "So long.",
    limits: { connections: 2 },
    overrides: [{ path: "/a", permissions: "elr" }, { path: "/a", permissions: "el", recursive: true }],
  };
  const opened: string[] = [];
  const account = await loginTo(found, {
    openHome(home) {
      opened.push(home);
      return HOME;
    },
  });
  found.overrides.length = 0;
  assertExists(account);
  assertEquals(opened, ["/srv/alice"]);
  const { fileSystem, hasPermission, mayMove, ...rest } = account;
  const { home: _, password: __, overrides: ___, ...expected } = found;
  assertEquals(rest, expected);
  assert(fileSystem === HOME);
  assert(await hasPermission("w", "/b", UNABORTED));
  assert(await hasPermission("l", "/a/b", UNABORTED));
  assert(!await hasPermission("r", "/a/b", UNABORTED));
  assertEquals([await mayMove?.("/", UNABORTED), await mayMove?.("/b", UNABORTED)], [false, true]);
});

Deno.test("PasswordAuthorizer opens a home for the right password only", async () => {
  let opened = 0;
  const authorizer = new PasswordAuthorizer({ find: () => ({ password: "12345", home: "/srv" }) }, {
    openHome() {
      opened++;
      return new MemoryFileSystem();
    },
  });
  await login(authorizer, "alice", "wrong");
  assertEquals(opened, 0);
  await login(authorizer);
  assertEquals(opened, 1);
});

Deno.test("PasswordAuthorizer takes null, which databases give, for no account", async () => {
  assertEquals(await loginTo(null), undefined);
});

Deno.test("PasswordAuthorizer does the work of the costs that the source says, whoever the login is for", async () => {
  const accounts = new Map([["alice", HASH], ["bob", OTHER_HASH], ["carol", "clear text"]]);
  const costs = [HASH, OTHER_HASH].map((text) => new StoredPassword(text).hash?.cost).filter((cost) =>
    cost !== undefined
  );
  const find = (name: string) => {
    const password = accounts.get(name);
    return password === undefined ? undefined : { password, home: HOME };
  };
  const { authorizer, computed } = makeObserved(find, { costs: () => costs });
  for (const name of [...accounts.keys(), "nobody"]) {
    assertEquals(await login(authorizer, name, "wrong"), undefined);
    assertEquals(computed.splice(0).sort(), [10, 11], name);
  }
});

Deno.test("PasswordAuthorizer does the work of the costs that it has seen where the source says none", async () => {
  const find = (name: string) => name === "alice" ? { password: HASH, home: HOME } : undefined;
  const { authorizer, computed } = makeObserved(find);
  const work = [];
  for (const name of ["nobody", "alice", "nobody", "alice"]) {
    assertEquals(await login(authorizer, name, "wrong"), undefined);
    work.push(computed.splice(0));
  }
  assertEquals(work, [[17], [10], [10], [10]]);
});

Deno.test("PasswordAuthorizer remembers a success for accounts that are made anew, until the hash is another", async () => {
  let password = HASH;
  const { authorizer, computed } = makeObserved(() => ({ password, home: HOME }));
  for (let count = 0; count < 3; count++) assertExists(await login(authorizer));
  assertEquals(computed.splice(0), [10]);
  password = await hashPassword("67890", { ln: 10 });
  assertEquals(await login(authorizer), undefined);
  assertEquals(computed.splice(0).length, 1);
  password = await hashPassword("12345", { ln: 10 });
  assertExists(await login(authorizer));
  assertEquals(computed.length, 1);
});

Deno.test("PasswordAuthorizer does not count a success of an account that is no longer current", async () => {
  let current: FoundAccount | undefined;
  const makeAccount = (): FoundAccount => {
    const account: FoundAccount = {
      password: HASH,
      home: HOME,
      isCurrent() {
        return this === current && current === account;
      },
    };
    return account;
  };
  current = makeAccount();
  const { authorizer, computed } = makeObserved(() => current);
  for (let count = 0; count < 2; count++) assertExists(await login(authorizer));
  assertEquals(computed.splice(0).length, 1);
  current = makeAccount();
  for (let count = 0; count < 2; count++) assertExists(await login(authorizer));
  assertEquals(computed.length, 1);
});

Deno.test("PasswordAuthorizer refuses an account that is not current when its password has been checked", async () => {
  for (const password of [HASH, "12345", { any: true }] as const) {
    assertEquals(await loginTo({ password, home: HOME, isCurrent: () => false }), undefined);
    assertExists(await loginTo({ password, home: HOME, isCurrent: () => true }));
  }
});

Deno.test("PasswordAuthorizer lets accounts with any password change nothing, unless that is forced", async () => {
  const account = { password: { any: true }, home: HOME };
  assertExists(await loginTo(account));
  const overrides = [{ path: "/a", permissions: "w" }];
  for (const rights of [{ permissions: "elrw" }, { overrides }]) {
    const error = await assertRejects(() => loginTo({ ...account, ...rights }), InsecureConfigurationError);
    assertEquals(error.risk, "anonymous-write");
    assertExists(await loginTo({ ...account, ...rights, forceWrite: true }));
    await assertRejects(
      () => loginTo({ ...account, ...rights, username: "anonymous", password: "12345", forceWrite: true }),
      InsecureConfigurationError,
    );
  }
  // Only `true` is any password.
  for (const any of [false, undefined, 1, "true"]) {
    await assertRejects(() => loginTo({ ...account, password: { any } }));
  }
});

/** What is no account, and what is said of it. */
const FAULTS: readonly (readonly [account: Anything, type: typeof Error, message: string])[] = [
  [true, TypeError, 'Cannot use the account "alice": it is not an object'],
  ["12345", TypeError, 'Cannot use the account "alice": it is not an object'],
  // What a table that is a plain object has for "constructor" and "__proto__".
  [Object, TypeError, 'Cannot use the account "alice": it is not an object'],
  [Object.prototype, TypeError, 'Cannot use the account "alice": it has no password'],
  [{ home: HOME }, TypeError, 'Cannot use the account "alice": it has no password'],
  [{ password: "", home: HOME }, TypeError, 'Cannot use the account "alice": it has no password'],
  [{ password: null, home: HOME }, TypeError, 'Cannot use the account "alice": it has no password'],
  [{ password: {}, home: HOME }, TypeError, 'Cannot use the account "alice": it has no password'],
  [{ password: "$6$salt$digest", home: HOME }, SyntaxError, "Cannot read the password hash: its scheme is not"],
  [{ password: "12345" }, TypeError, 'Cannot use the account "alice": it has no home'],
  [{ password: "12345", home: "" }, TypeError, 'Cannot use the account "alice": it has no home'],
  [{ password: "12345", home: "/srv" }, TypeError, 'Cannot use the account "alice": no openHome is set'],
  [{ password: "12345", home: HOME, permissions: "elz" }, SyntaxError, '"z" is not one of elradfmwMT'],
  [{ password: "12345", home: HOME, permissions: null }, TypeError, "its permissions are no text"],
  [{ password: "12345", home: HOME, limits: null }, TypeError, "its limits are no object"],
  [{ password: "12345", home: HOME, overrides: {} }, TypeError, "its overrides are no list"],
  [{ password: "12345", home: HOME, overrides: [null] }, TypeError, "an override has no path"],
  [{ password: "12345", home: HOME, overrides: [{ path: "/a" }] }, TypeError, "its permissions are no text"],
  [{ password: "12345", home: HOME, overrides: [{ path: "a", permissions: "" }] }, SyntaxError, '"a"'],
];

for (const [account, type, message] of FAULTS) {
  Deno.test(`PasswordAuthorizer refuses what is no account: ${message}, ${Deno.inspect(account, { depth: 0 })}`, async () => {
    await assertRejects(() => loginTo(account), type, message);
  });
}

Deno.test("PasswordAuthorizer tells of a fault beside the password only who knows the password", async () => {
  for (const account of [{ home: "" }, { home: HOME, permissions: "elz" }, { home: HOME, overrides: [null] }]) {
    assertEquals(await loginTo({ ...account, password: "another" }), undefined);
  }
});

Deno.test("PasswordAuthorizer passes on what the source throws, at once or later", async () => {
  for (const error of [new TypeError("broken"), new AuthorizerBusyError("down")]) {
    const throwing: AccountSource = {
      find() {
        throw error;
      },
    };
    for (const source of [throwing, { find: () => Promise.reject(error) }]) {
      assert(await assertRejects(() => login(new PasswordAuthorizer(source))) === error);
    }
  }
});

Deno.test("PasswordAuthorizer waits for the source no longer than its signal says", async () => {
  const signals: AbortSignal[] = [];
  const answer = Promise.withResolvers<undefined>();
  const authorizer = new PasswordAuthorizer({
    find(_name, { signal }) {
      signals.push(signal);
      return answer.promise;
    },
  });
  const controller = new AbortController();
  const pending = login(authorizer, "alice", "12345", controller.signal);
  controller.abort(new Error("left"));
  await assertRejects(() => pending, Error, "left");
  await assertRejects(() => login(authorizer, "alice", "12345", controller.signal), Error, "left");
  assert(signals.length === 1 && signals[0] === controller.signal);
  answer.reject(new Error("nobody waits for this any more"));
});

Deno.test("PasswordAuthorizer begins no check for a client that left while the source was asked", async () => {
  const controller = new AbortController();
  const { authorizer, computed } = makeObserved(() => {
    controller.abort(new Error("left"));
    return undefined;
  });
  await assertRejects(() => login(authorizer, "alice", "12345", controller.signal), Error, "left");
  assertEquals(computed, []);
});

Deno.test("PasswordAuthorizer refuses an account whose second factor nobody would ask for", async () => {
  const secondFactor = { codeLength: 6, look: () => ({ isRecalled: false, confirm: () => false }) };
  const check = (): FoundAccount => ({ username: "alice", password: "-", home, secondFactor });
  const home = new MemoryFileSystem();
  const accounts: FoundAccount[] = [
    { password: { any: true }, home, secondFactor },
    { password: { check }, home },
    { password: { check: () => ({ ...check(), secondFactor: undefined }) }, home, secondFactor },
  ];
  for (const account of accounts) {
    const authorizer = new PasswordAuthorizer({ find: () => account });
    for (let times = 0; times < 2; times++) {
      const login = authorizer.authenticate({ username: "alice", password: "x", remoteHost: "192.0.2.1" }, {
        signal: new AbortController().signal,
      });
      await assertRejects(() => login, TypeError, "second factor");
    }
  }
});
