import { assert, assertEquals, assertExists, assertNotMatch, assertRejects, assertThrows } from "@std/assert";
import { type Account, AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import { deriveDigest } from "../../lib/accounts/password_digest.ts";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import type { PasswordVerifierOptions } from "../../lib/accounts/password_verifier.ts";
import { VirtualAccounts } from "../../lib/accounts/virtual_accounts.ts";
import { makeTree } from "./directory_tree.ts";
import { UNABORTED } from "../helpers/unaborted.ts";

const SIGNAL = new AbortController().signal;
const HOME = makeTree(["/", "/a", "/a/b"]);

function makeAccounts(options: PasswordVerifierOptions = {}): VirtualAccounts {
  return new VirtualAccounts({
    ...options,
    openHome() {
      throw new Error("No home is opened here");
    },
  });
}

function login(
  accounts: VirtualAccounts,
  username: string,
  password: string,
  signal: AbortSignal = SIGNAL,
): Promise<Account | undefined> {
  return accounts.authenticate({ username, password, remoteHost: "127.0.0.1" }, { signal });
}

Deno.test("VirtualAccounts.authenticate() returns the account to the right name and password only", async () => {
  const accounts = makeAccounts();
  accounts.addUser("alice", "12345", HOME);
  accounts.addUser("bob", await hashPassword("67890", { ln: 10 }), HOME);
  assertEquals((await login(accounts, "alice", "12345"))?.username, "alice");
  assertEquals((await login(accounts, "bob", "67890"))?.username, "bob");
  const refused = [
    ["alice", "67890"],
    ["alice", ""],
    ["Alice", "12345"],
    ["alice ", "12345"],
    ["bob", "12345"],
    ["carol", "12345"],
    ["", ""],
    ["anonymous", "12345"],
    ["__proto__", "12345"],
  ] as const;
  for (const [username, password] of refused) {
    assertEquals(await login(accounts, username, password), undefined, `${username} ${password}`);
  }
});

Deno.test("VirtualAccounts.authenticate() lets a newcomer wait for one check, however many an address has waiting", async () => {
  const checked: string[] = [];
  const accounts = makeAccounts({
    maxRunning: 1,
    derive(password, parameters) {
      checked.push(password);
      return deriveDigest(password, parameters);
    },
  });
  accounts.addUser("alice", await hashPassword("12345", { ln: 10 }), HOME);
  const guess = (host: number) =>
    accounts.authenticate({ username: "alice", password: `guess ${host}`, remoteHost: `2001:db8::${host}` }, {
      signal: SIGNAL,
    });
  const guesses = [1, 2, 3, 4, 5].map(guess);
  await Promise.all([...guesses, login(accounts, "alice", "12345")]);
  assertEquals(checked.slice(0, 4), ["guess 1", "guess 2", "12345", "guess 3"]);
});

Deno.test("VirtualAccounts.authenticate() checks argon2id and bcrypt hashes", async () => {
  const hashes = {
    alice: "$argon2id$v=19$m=2048,t=1,p=2$AAECAwQFBgc$3cV7P4P0QuFGvCexIum0Cg",
    bob: "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
  };
  const accounts = makeAccounts();
  for (const [username, hash] of Object.entries(hashes)) accounts.addUser(username, hash, HOME);
  assertEquals((await login(accounts, "alice", "x".repeat(300)))?.username, "alice");
  assertEquals((await login(accounts, "bob", "U*U"))?.username, "bob");
  for (const username of ["alice", "bob", "carol"]) {
    for (const password of ["", "wrong"]) assertEquals(await login(accounts, username, password), undefined, username);
  }
});

Deno.test("VirtualAccounts.authenticate() returns what the user was added with", async () => {
  const accounts = makeAccounts();
  accounts.addUser("alice", "12345", HOME, {
    permissions: "elradfmwMT",
    loginMessage: "Hello.",
    quitMessage: "So long.",
  });
  accounts.addUser("bob", "12345", HOME);
  const alice = await login(accounts, "alice", "12345");
  assertExists(alice);
  assert(alice.fileSystem === HOME);
  assertEquals([alice.permissions, alice.loginMessage, alice.quitMessage], ["elradfmwMT", "Hello.", "So long."]);
  const bob = await login(accounts, "bob", "12345");
  assertEquals([bob?.permissions, bob?.loginMessage, bob?.quitMessage], ["elr", "Login successful.", "Goodbye."]);
});

Deno.test("VirtualAccounts.authenticate() lets anonymous in with any password, once it was added", async () => {
  const accounts = makeAccounts();
  assertEquals(await login(accounts, "anonymous", "a@example.com"), undefined);
  accounts.addAnonymous(HOME);
  for (const password of ["", "a@example.com", "12345"]) {
    const account = await login(accounts, "anonymous", password);
    assertEquals([account?.username, account?.permissions], ["anonymous", "elr"]);
  }
  for (const name of ["Anonymous", "ftp", "FTP"]) {
    assertEquals((await login(accounts, name, "a@example.com"))?.username, "anonymous", name);
  }
  for (const name of ["anonymous ", "ftpd", "anon"]) assertEquals(await login(accounts, name, ""), undefined, name);
});

Deno.test("VirtualAccounts.authenticate() takes a user's own name before another name of anonymous", async () => {
  const accounts = makeAccounts();
  assertEquals(await login(accounts, "ftp", ""), undefined);
  accounts.addAnonymous(HOME);
  accounts.addUser("ftp", "12345", HOME);
  accounts.addUser("Anonymous", "12345", HOME);
  for (const name of ["ftp", "Anonymous"]) {
    assertEquals(await login(accounts, name, "wrong"), undefined);
    assertEquals((await login(accounts, name, "12345"))?.username, name);
  }
  assertEquals((await login(accounts, "Ftp", ""))?.username, "anonymous");
  accounts.removeUser("anonymous");
  assertEquals(await login(accounts, "Ftp", ""), undefined);
});

Deno.test("VirtualAccounts.authenticate() checks a password that was given to the name anonymous", async () => {
  const accounts = makeAccounts();
  accounts.addUser("anonymous", "12345", HOME);
  for (const name of ["anonymous", "ftp", "Anonymous"]) assertEquals(await login(accounts, name, ""), undefined, name);
  assertExists(await login(accounts, "anonymous", "12345"));
  assertEquals(await login(accounts, "ftp", "12345"), undefined);
});

Deno.test("VirtualAccounts.authenticate() does the same work for unknown users as for known ones", async () => {
  const computed: number[] = [];
  const accounts = makeAccounts({
    derive(password, parameters) {
      computed.push(parameters.cost.ln);
      return deriveDigest(password, parameters);
    },
  });
  accounts.addUser("alice", await hashPassword("12345", { ln: 10 }), HOME);
  accounts.addUser("bob", await hashPassword("12345", { ln: 11 }), HOME);
  accounts.addUser("dave", await hashPassword("12345", { ln: 10 }), HOME);
  accounts.addUser("carol", "12345", HOME);
  for (const username of ["alice", "bob", "carol", "dave", "nobody"]) {
    assertEquals(await login(accounts, username, "wrong"), undefined);
    assertEquals(computed.splice(0).sort(), [10, 11], username);
  }
  accounts.removeUser("bob");
  for (const username of ["alice", "carol", "bob"]) {
    assertEquals(await login(accounts, username, "wrong"), undefined);
    assertEquals(computed.splice(0), [10], username);
  }
});

Deno.test("VirtualAccounts.authenticate() remembers a success until a failure or the user's removal", async () => {
  let computed = 0;
  const accounts = makeAccounts({
    derive(password, parameters) {
      computed++;
      return deriveDigest(password, parameters);
    },
  });
  const hash = await hashPassword("12345", { ln: 10 });
  accounts.addUser("alice", hash, HOME);
  assertExists(await login(accounts, "alice", "12345"));
  assertExists(await login(accounts, "alice", "12345"));
  assertEquals(computed, 1);
  await login(accounts, "alice", "wrong");
  assertExists(await login(accounts, "alice", "12345"));
  assertEquals(computed, 3);
  accounts.removeUser("alice");
  accounts.addUser("alice", hash, HOME);
  assertExists(await login(accounts, "alice", "12345"));
  assertEquals(computed, 4);
});

Deno.test("VirtualAccounts.authenticate() refuses a user removed or replaced while the password is checked", async () => {
  for (const replaced of [true, false]) {
    const gate = Promise.withResolvers<void>();
    const accounts = makeAccounts({
      async derive(password, parameters) {
        await gate.promise;
        return await deriveDigest(password, parameters);
      },
    });
    accounts.addUser("alice", await hashPassword("12345", { ln: 10 }), HOME);
    const pending = login(accounts, "alice", "12345");
    accounts.removeUser("alice");
    if (replaced) accounts.addUser("alice", "other", HOME);
    gate.resolve();
    assertEquals(await pending, undefined);
  }
});

Deno.test("VirtualAccounts.authenticate() rejects when its signal aborts", async () => {
  const gate = Promise.withResolvers<void>();
  const running: Promise<Uint8Array>[] = []; // goes on unheard, and is not to outlast the test
  const accounts = makeAccounts({
    derive(password, parameters) {
      const digest = gate.promise.then(() => deriveDigest(password, parameters));
      running.push(digest);
      return digest;
    },
  });
  accounts.addUser("alice", await hashPassword("12345", { ln: 10 }), HOME);
  accounts.addAnonymous(HOME);
  const controller = new AbortController();
  const pending = login(accounts, "alice", "12345", controller.signal);
  controller.abort(new Error("left"));
  await assertRejects(() => pending, Error, "left");
  await assertRejects(() => login(accounts, "alice", "12345", controller.signal), Error, "left");
  await assertRejects(() => login(accounts, "anonymous", "", controller.signal), Error, "left");
  gate.resolve();
  assertExists(await login(accounts, "alice", "12345"));
  await Promise.all(running);
});

Deno.test("VirtualAccounts.authenticate() turns logins away when too many wait, known or not", async () => {
  const gate = Promise.withResolvers<void>();
  const accounts = makeAccounts({
    maxRunning: 1,
    maxWaiting: 0,
    async derive(password, parameters) {
      await gate.promise;
      return await deriveDigest(password, parameters);
    },
  });
  accounts.addUser("alice", await hashPassword("12345", { ln: 10 }), HOME);
  const pending = login(accounts, "alice", "wrong");
  for (const username of ["alice", "nobody"]) {
    await assertRejects(() => login(accounts, username, "12345"), AuthorizerBusyError);
  }
  gate.resolve();
  assertEquals(await pending, undefined);
});

Deno.test("VirtualAccounts.addUser() opens homes that are given as a path", async () => {
  const opened: string[] = [];
  const accounts = new VirtualAccounts({
    openHome(home) {
      opened.push(home);
      return HOME;
    },
  });
  accounts.addUser("alice", "12345", "/srv/ftp/alice");
  accounts.addAnonymous("/srv/ftp/pub");
  assertEquals(opened, ["/srv/ftp/alice", "/srv/ftp/pub"]);
  assert((await login(accounts, "alice", "12345"))?.fileSystem === HOME);
});

Deno.test("VirtualAccounts.addUser() refuses a user that exists, also anonymous", () => {
  const accounts = makeAccounts();
  accounts.addUser("alice", "12345", HOME);
  accounts.addAnonymous(HOME);
  const message = 'Cannot add user "alice": it exists already';
  assertThrows(() => accounts.addUser("alice", "67890", HOME), TypeError, message);
  assertThrows(() => accounts.addUser("anonymous", "12345", HOME), TypeError, 'Cannot add user "anonymous"');
  assertThrows(() => accounts.addAnonymous(HOME), TypeError, 'Cannot add user "anonymous": it exists already');
});

Deno.test("VirtualAccounts.addUser() refuses what makes no user, and leaves none behind", () => {
  const accounts = makeAccounts();
  const add = (username: string, password: string, home: string, permissions = "elr") => () =>
    accounts.addUser(username, password, home, { permissions });
  assertThrows(add("", "12345", "/srv"), TypeError, "Cannot add a user: the name is empty");
  for (const name of ["a\nb", "\0", "a\r", "\x7f", "\x9b1m", "\t"]) {
    const message = `Cannot add user ${JSON.stringify(name)}: the name has control characters`;
    assertThrows(add(name, "12345", "/srv"), SyntaxError, message);
  }
  assertThrows(add("alice", "", "/srv"), TypeError, 'Cannot keep the password of "alice": it is empty');
  assertThrows(add("alice", "$2b$12$abc", "/srv"), SyntaxError, "Cannot read the password hash");
  assertThrows(add("alice", "12345", ""), TypeError, 'Cannot add user "alice": the home is empty');
  assertThrows(add("alice", "12345", "/srv", "elz"), SyntaxError, '"z" is not one of elradfmwMT');
  const overrides = [{ path: "incoming", permissions: "w" }];
  assertThrows(() => accounts.addUser("alice", "12345", HOME, { overrides }), SyntaxError, '"incoming"');
  assert(!accounts.hasUser("alice"));
});

Deno.test("VirtualAccounts.addUser() has no forceWrite for anonymous", () => {
  const accounts = makeAccounts();
  const options = { permissions: "elrw", forceWrite: true };
  assertThrows(() => accounts.addUser("anonymous", "12345", HOME, options), Error, '"w" lets anybody write');
});

Deno.test("VirtualAccounts.removeUser() takes the user away, and refuses an unknown one", async () => {
  const accounts = makeAccounts();
  accounts.addUser("alice", "12345", HOME);
  assert(accounts.hasUser("alice"));
  accounts.removeUser("alice");
  assert(!accounts.hasUser("alice"));
  assertEquals(await login(accounts, "alice", "12345"), undefined);
  const message = 'Cannot remove user "alice": there is none of that name';
  assertThrows(() => accounts.removeUser("alice"), TypeError, message);
});

Deno.test("VirtualAccounts.hasPermission() follows letters and overrides, whichever way they were set", async () => {
  const accounts = makeAccounts();
  const override = { path: "/a", permissions: "elw" };
  accounts.addUser("alice", "12345", HOME, { overrides: [{ path: "/a", permissions: "T" }, override] });
  accounts.addUser("bob", "12345", HOME);
  accounts.overridePermissions("bob", "/a", "T", { recursive: true });
  accounts.overridePermissions("bob", "/a", "elw");
  for (const username of ["alice", "bob"]) {
    const may = (letter: "r" | "w" | "T", path: string) => accounts.hasPermission(username, letter, path);
    assertEquals([await may("r", "/"), await may("w", "/"), await may("w", "/a")], [true, false, true]);
    assertEquals([await may("w", "/a/new"), await may("r", "/a/file.txt"), await may("T", "/a")], [true, false, false]);
    assertEquals([await may("w", "/a/b"), await may("r", "/a/b"), await may("w", "x/../a/")], [false, true, true]);
  }
  assert(!(await accounts.hasPermission("nobody", "e", "/")));
});

Deno.test("VirtualAccounts.overridePermissions() holds for later logins, and leaves accounts that are in use", async () => {
  const accounts = makeAccounts();
  accounts.addUser("alice", "12345", HOME, { permissions: "elrw" });
  const before = await login(accounts, "alice", "12345");
  accounts.overridePermissions("alice", "/a", "", { recursive: true });
  const after = await login(accounts, "alice", "12345");
  assertEquals([
    await before?.hasPermission("w", "/a/b/c", UNABORTED),
    await after?.hasPermission("w", "/a/b/c", UNABORTED),
  ], [true, false]);
  assertEquals([await after?.hasPermission("w", "/c", UNABORTED), after?.permissions], [true, "elrw"]);
});

Deno.test("VirtualAccounts.addUser() copies the overrides, so that later changes do not come through", async () => {
  const accounts = makeAccounts();
  const overrides = [{ path: "/a", permissions: "l" }];
  accounts.addUser("alice", "12345", HOME, { overrides });
  const account = await login(accounts, "alice", "12345");
  Object.assign(overrides[0] ?? {}, { permissions: "w" });
  assert(!await accounts.hasPermission("alice", "w", "/a"));
  assert(!await account?.hasPermission("w", "/a", UNABORTED));
});

Deno.test("VirtualAccounts.overridePermissions() refuses unknown users, letters and bad paths", () => {
  const accounts = makeAccounts();
  accounts.addUser("alice", "12345", HOME);
  const message = 'Cannot override permissions of user "bob": there is none of that name';
  assertThrows(() => accounts.overridePermissions("bob", "/a", "elr"), TypeError, message);
  assertThrows(() => accounts.overridePermissions("alice", "/a", "ely"), SyntaxError, '"y" is not one of');
  assertThrows(() => accounts.overridePermissions("alice", "/a/..", "elr"), SyntaxError, '"/a/.."');
});

Deno.test("VirtualAccounts shows no password when it is inspected", async () => {
  const accounts = makeAccounts();
  accounts.addUser("alice", "open sesame", HOME);
  const account = await login(accounts, "alice", "open sesame");
  assertNotMatch(Deno.inspect([accounts, account], { depth: 9, showHidden: true }), /open sesame|sealed/);
  assertNotMatch(JSON.stringify([accounts, account]), /open sesame|sealed/);
});
