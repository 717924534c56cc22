import { assert, assertEquals, assertRejects } from "@std/assert";
import { AccountRowError } from "../../lib/accounts/account_entries.ts";
import { AuthorizerBusyError, type Credentials } from "../../lib/accounts/authorizer.ts";
import { HookAccounts, type HookAccountsOptions } from "../../lib/accounts/hook_accounts.ts";
import { AccountHook } from "../helpers/account_hook.ts";

const { signal } = new AbortController();
const ALICE: Credentials = { username: "alice", password: "secret", remoteHost: "192.0.2.1" };

function accountsOf(hook: AccountHook, options: Partial<HookAccountsOptions> = {}): HookAccounts {
  return new HookAccounts({ url: hook.url, tokenFile: hook.tokenFile, ...options });
}

Deno.test("HookAccounts.login() asks with all that is known of the login, and takes the entry of the answer", async () => {
  await using hook = await AccountHook.start(() => Response.json({ name: "Alice", home: "a", permissions: "elrw" }));
  using accounts = accountsOf(hook, { node: "n1" });
  const peerCertificate = { subject: "CN=alice", fingerprint: "AB:CD", alternativeNames: [] };
  const tls = { protocol: "TLSv1.3", cipher: "TLS_AES_128_GCM_SHA256", resumed: false, peerCertificate };
  assertEquals(await accounts.login({ ...ALICE, tls }, { signal }), { name: "Alice", home: "a", permissions: "elrw" });
  assertEquals(await accounts.login({ ...ALICE, username: "böb\0", password: "ü" }, { signal }), {
    name: "Alice",
    home: "a",
    permissions: "elrw",
  });
  assertEquals(
    hook.asked.map((asked) => ({ ...asked })),
    [
      {
        version: 1,
        username: "alice",
        password: "secret",
        address: "192.0.2.1",
        node: "n1",
        tls: {
          protocol: "TLSv1.3",
          cipher: "TLS_AES_128_GCM_SHA256",
          certificate: { subject: "CN=alice", fingerprint: "AB:CD" },
        },
      },
      { version: 1, username: "böb\0", password: "ü", address: "192.0.2.1", node: "n1" },
    ] as unknown as typeof hook.asked,
  );
  hook.answer = () => Response.json({ home: "a" });
  assertEquals(await accounts.login(ALICE, { signal }), { name: "alice", home: "a" });
});

Deno.test("HookAccounts.login() takes 401, 403 and 404 as a refusal, and nothing else", async () => {
  await using hook = await AccountHook.start();
  using accounts = accountsOf(hook, { maxFailures: 100 });
  for (const status of [401, 403, 404]) {
    hook.answer = () => Response.json({ home: "a" }, { status });
    assertEquals(await accounts.login(ALICE, { signal }), undefined);
  }
  for (const status of [201, 202, 204, 301, 302, 307, 400, 405, 429, 500, 503]) {
    const body = status === 204 ? null : "{}";
    hook.answer = () =>
      new Response(body, { status, headers: { location: "/other", "content-type": "application/json" } });
    const error = await assertRejects(async () => await accounts.login(ALICE, { signal }), AuthorizerBusyError);
    assert(error.isOutage && !error.countsAsFailure);
    assertEquals(error.cause, `Error: it has answered ${status}`);
  }
  assertEquals(hook.asked.length, 14); // no redirect was followed
});

Deno.test("HookAccounts.login() says what is wrong with an answer, without what it holds", async () => {
  await using hook = await AccountHook.start();
  using accounts = accountsOf(hook, { maxFailures: 100 });
  for (
    const [body, message] of [
      ['{"name": 5}', "the name of the answer is no text"],
      ['{"name": ""}', "the name of the answer is no text"],
      ['{"password": "x"}', "the answer has a password, which the hook keeps to itself"],
      [`{"a": ${"[".repeat(9)}${"]".repeat(9)}}`, "the answer is nested more than 8 deep"],
    ] as const
  ) {
    hook.answer = () => new Response(body, { headers: { "content-type": "application/json; charset=utf-8" } });
    const error = await assertRejects(async () => await accounts.login(ALICE, { signal }), AccountRowError);
    assertEquals(error.message, message);
  }
});

Deno.test("HookAccounts does not ask for a time after failures in a row, then once, and a refusal is no failure", async () => {
  await using hook = await AccountHook.start();
  using accounts = accountsOf(hook, { maxFailures: 2, openMs: 200 });
  const login = () => accounts.login(ALICE, { signal }).then(() => "answered", (error) => String(error.cause));
  for (let times = 0; times < 4; times++) assertEquals(await login(), "answered");
  hook.answer = () => new Response(null, { status: 503 });
  for (let times = 0; times < 2; times++) assertEquals(await login(), "Error: it has answered 503");
  const opened = performance.now();
  assertEquals(await login(), "it has not answered");
  assertEquals(hook.asked.length, 6);
  let reply = await login();
  while (reply === "it has not answered") {
    await new Promise((resolve) => setTimeout(resolve, 10));
    reply = await login();
  }
  assert(performance.now() - opened >= 190);
  assertEquals([reply, await login(), hook.asked.length], ["Error: it has answered 503", "it has not answered", 7]);
  hook.answer = () => Response.json({ home: "a" });
  while (await login() !== "answered") await new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals(await login(), "answered");
});

Deno.test("HookAccounts goes on asking a hook that stumbles over one name", async () => {
  await using hook = await AccountHook.start();
  using accounts = accountsOf(hook, { maxFailures: 1 });
  for (const answer of [new Response(null, { status: 500 }), new Response("?"), Response.json([])]) {
    hook.answer = () => answer;
    await assertRejects(async () => await accounts.login(ALICE, { signal }), AuthorizerBusyError);
    hook.answer = () => Response.json({ home: "a" });
    assertEquals(await accounts.login(ALICE, { signal }), { name: "alice", home: "a" });
  }
});

Deno.test("HookAccounts.login() reads the token for each login, and fails closed without it", async () => {
  await using hook = await AccountHook.start(() => Response.json({ home: "a" }));
  using accounts = accountsOf(hook);
  assert(await accounts.login(ALICE, { signal }));
  await Deno.writeTextFile(hook.tokenFile, "another");
  await assertRejects(async () => await accounts.login(ALICE, { signal }), AuthorizerBusyError);
  await Deno.remove(hook.tokenFile);
  await assertRejects(async () => await accounts.login(ALICE, { signal }), AuthorizerBusyError);
});

Deno.test("HookAccounts.login() trusts no certificate that nobody has signed, and none for another name", async () => {
  await using hook = await AccountHook.start(() => Response.json({ home: "a" }), { isSecure: true });
  using accounts = accountsOf(hook, { url: hook.url.replace("http:", "https:") });
  const error = await assertRejects(async () => await accounts.login(ALICE, { signal }), AuthorizerBusyError);
  assert(/certificate/i.test(String(error.cause)), String(error.cause));
  assertEquals(hook.asked, []);
});

Deno.test("HookAccounts.login() asks few at once, and ends to wait when its signal aborts", async () => {
  const release = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  await using hook = await AccountHook.start(async () => {
    most = Math.max(most, ++running);
    await release.promise;
    running--;
    return Response.json({ home: "a" });
  });
  using accounts = accountsOf(hook);
  const left = new AbortController();
  const logins = Array.from({ length: 40 }, () => accounts.login(ALICE, { signal }));
  const waiting = accounts.login(ALICE, { signal: left.signal });
  left.abort(new Error("left"));
  await assertRejects(() => waiting, Error, "left");
  while (hook.asked.length < 16) await new Promise((resolve) => setTimeout(resolve, 5));
  release.resolve();
  await Promise.all(logins);
  assertEquals(most, 16);
});
