/**
 * What every source of accounts has to do, by way of an authorizer over it.
 *
 * @module
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { AccountSource } from "../../lib/accounts/account_source.ts";
import { AuthorizerBusyError, LoginRefusedError } from "../../lib/accounts/authorizer.ts";
import { PasswordAuthorizer } from "../../lib/accounts/password_authorizer.ts";
import { hashPassword } from "../../lib/accounts/password_hash.ts";
import type { MaybePromise } from "../../lib/shared_port.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";

/** What of an account a test chooses. */
export interface WantedAccount {
  /** A hash. */
  readonly password: string;
  readonly permissions?: string;
  readonly overrides?: readonly { readonly path: string; readonly permissions: string }[];
  readonly messages?: { readonly login?: string; readonly quit?: string };
  readonly limits?: { readonly connections: number };
  /** As the configuration file says it. */
  readonly expires?: string;
  readonly addresses?: readonly string[];
  readonly hours?: readonly string[];
}

/** A source with accounts that a test changes. */
export interface SourceScene extends AsyncDisposable {
  readonly source: AccountSource;
  /** Adds an account, or puts it in the place of another. */
  put(name: string, account: WantedAccount): Promise<void>;
  remove(name: string): Promise<void>;
  /** Whether passwords are checked elsewhere, so that nothing is known of a name without its password. */
  readonly isDelegated?: true;
  /** Whether an account is no more than a name and a password, of which case and spaces do not count. */
  readonly isDirectory?: true;
  /** Lets it be out of reach until the function that comes back is called; absent: it cannot be. */
  takeAway?(): MaybePromise<() => MaybePromise<void>>;
}

/** What is tested. */
export interface SourceCases {
  /** Name of the class. */
  readonly name: string;
  readonly ignore?: boolean;
  readonly setUp: () => Promise<SourceScene>;
}

const COST = { ln: 10 };
const [FIRST, SECOND] = await Promise.all([hashPassword("first", COST), hashPassword("second", COST)]);
/** The password of a hash that tests use. */
export function clearOf(hash: string): string {
  return hash === FIRST ? "first" : "second";
}

/** What clients may send as a name. */
const HOSTILE_NAMES = [
  "",
  " alice",
  "Alice",
  "alice\0",
  "\0",
  "\ud800",
  "'",
  '"',
  "\\",
  "$1",
  "%",
  "alice' OR '1'='1",
  "'; DROP TABLE ftpsd.account; --",
  "*)(uid=*",
  "../alice",
  "__proto__",
  "constructor",
  "x".repeat(10_000),
  "é".repeat(5_000),
];

/** Registers the tests of a source. */
export function testAccountSource({ name, ignore = false, setUp }: SourceCases): void {
  const test = (what: string, run: (scene: TestedSource) => Promise<void>) =>
    Deno.test({
      name: `${name} ${what}`,
      ignore,
      fn: async () => {
        await using scene = await setUp();
        const authorizer = new PasswordAuthorizer(scene.source, { openHome: () => new MemoryFileSystem() });
        const { signal } = new AbortController();
        const login = (username: string, password: string) =>
          authorizer.authenticate({ username, password, remoteHost: "192.0.2.1" }, { signal });
        await run({ ...scene, scene, login });
      },
    });

  test("lets in who knows the password, with all that the account has", async ({ login, scene }) => {
    const { signal } = new AbortController();
    if (scene.isDirectory) return;
    await scene.put("alice", {
      password: FIRST,
      permissions: "elrw",
      overrides: [{ path: "/in", permissions: "d" }],
      messages: { login: "Hello.\nThere.", quit: "Bye." },
      limits: { connections: 2 },
    });
    await scene.put("bob", { password: SECOND });
    const account = await login("alice", "first");
    assertEquals([account?.username, account?.permissions, account?.loginMessage, account?.quitMessage], [
      "alice",
      "elrw",
      "Hello.\nThere.",
      "Bye.",
    ]);
    assertEquals(account?.limits?.connections, 2);
    assert(await account?.hasPermission("d", "/in", { signal }) && !await account?.hasPermission("d", "/", { signal }));
    assertEquals((await login("bob", "second"))?.permissions, "elr");
    for (
      const [username, password] of [["alice", "second"], ["bob", "first"], ["alice", ""], ["carol", "first"]] as const
    ) {
      assertEquals(await login(username, password), undefined);
    }
  });

  test("forgets a password that was changed, and an account that was removed, though it was remembered", async ({ login, scene }) => {
    await scene.put("alice", { password: FIRST });
    for (let times = 0; times < 2; times++) assert(await login("alice", "first"));
    await scene.put("alice", { password: SECOND });
    assertEquals(await login("alice", "first"), undefined);
    assert(await login("alice", "second"));
    await scene.remove("alice");
    assertEquals(await login("alice", "second"), undefined);
  });

  test("knows nobody by a hostile name, and is the same afterwards", async ({ login, scene }) => {
    await scene.put("alice", { password: FIRST });
    for (const hostile of HOSTILE_NAMES) {
      const found = await login(hostile, "first");
      const isSame = scene.isDirectory && hostile.trim().toLowerCase() === "alice";
      assertEquals(found?.username, isSame ? "alice" : undefined, hostile.slice(0, 40));
      assertEquals(await login("alice", hostile), undefined, hostile.slice(0, 40));
    }
    assert(await login("alice", "first"));
  });

  test("says which costs its hashes have, so that a name that is not there takes the work of one that is", async ({ scene }) => {
    await scene.put("alice", { password: FIRST });
    await scene.source.find("alice", { signal: new AbortController().signal });
    const costs = scene.source.costs?.() ?? [];
    const expected = scene.isDelegated ? [] : [["scrypt" as const, 10]];
    assertEquals(costs.map(({ scheme, ...cost }) => [scheme, "ln" in cost && cost.ln]), expected);
  });

  test("gives the rules of an account with it, which refuse before the password, though it was remembered", async ({ login, scene }) => {
    const refusals = [
      [{ expires: "2026-01-31" }, "the account has expired"],
      [{ expires: "2026-01-31T12:00+01:00" }, "the account has expired"],
      [{ addresses: ["198.51.100.0/24", "2001:db8::/32"] }, "the account is not used from this address"],
      [{ hours: [hourFarFromNow()] }, "the account is not used at this hour"],
    ] as const;
    const open = { expires: "2999-12-31", addresses: ["192.0.2.0/24"], hours: ["00:00-24:00"] };
    if (scene.isDirectory) return;
    for (const [rules, reason] of refusals) {
      await scene.put("alice", { password: FIRST, ...open });
      assert(await login("alice", "first"));
      await scene.put("alice", { password: FIRST, ...rules });
      for (const password of scene.isDelegated ? ["first"] : ["first", "second"]) {
        const error = await assertRejects(() => login("alice", password), LoginRefusedError);
        assertEquals(error.message, reason);
      }
    }
  });

  test("says that it is out of reach, which is no failed login", async ({ login, scene }) => {
    const back = await scene.takeAway?.();
    if (back === undefined) return;
    const error = await assertRejects(() => login("alice", "first"), AuthorizerBusyError);
    assert(!error.countsAsFailure);
    await back();
    await scene.put("alice", { password: FIRST });
    assert(await login("alice", "first"));
  });
}

interface TestedSource {
  readonly scene: SourceScene;
  readonly login: (username: string, password: string) => ReturnType<PasswordAuthorizer["authenticate"]>;
}

/** An hour, in UTC, that is neither now nor soon. */
function hourFarFromNow(): string {
  const hour = (new Date().getUTCHours() + 12) % 24;
  return `${String(hour).padStart(2, "0")}:00-${String(hour).padStart(2, "0")}:30`;
}
