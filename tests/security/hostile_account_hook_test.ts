import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AuthorizerBusyError, type Credentials } from "../../lib/accounts/authorizer.ts";
import { HookAccounts } from "../../lib/accounts/hook_accounts.ts";
import { AccountHook } from "../helpers/account_hook.ts";

const { signal } = new AbortController();
const ALICE: Credentials = { username: "alice", password: "secret of alice", remoteHost: "192.0.2.1" };
const JSON_TYPE = { headers: { "content-type": "application/json" } };

/** Why nobody was let in, which is no failed login. */
async function reasonOf(accounts: HookAccounts): Promise<string> {
  const error = await assertRejects(async () => await accounts.login(ALICE, { signal }), AuthorizerBusyError);
  assert(error.isOutage && !error.countsAsFailure);
  const text = `${error.message}: ${error.cause}`;
  assert(!text.includes(ALICE.password) && !text.includes("planted"), text);
  return String(error.cause);
}

Deno.test("A hook that hangs, before its answer or in it, keeps nobody longer than its deadline", async () => {
  await using hook = await AccountHook.start();
  using accounts = new HookAccounts({ url: hook.url, tokenFile: hook.tokenFile, timeout: 0.2, maxFailures: 100 });
  const never = Promise.withResolvers<Response>();
  const halves = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"home":')),
  });
  for (const answer of [() => never.promise, () => new Response(halves, JSON_TYPE)]) {
    hook.answer = answer;
    const start = performance.now();
    assertEquals(await reasonOf(accounts), "Error: no answer within 0.2 s");
    assert(performance.now() - start < 2_000);
  }
  never.resolve(new Response(null, { status: 404 }));
});

Deno.test("A hook that answers without an end is heard for 64 KiB", async () => {
  let sent = 0;
  const endless = () =>
    new ReadableStream({
      pull: (controller) => {
        sent += 1 << 16;
        controller.enqueue(new Uint8Array(1 << 16).fill(32));
      },
    });
  await using hook = await AccountHook.start(() => new Response(endless(), JSON_TYPE));
  using accounts = new HookAccounts({ url: hook.url, tokenFile: hook.tokenFile });
  assertEquals(await reasonOf(accounts), "Error: its answer has more than 65536 bytes");
  hook.answer = () => new Response(endless(), { status: 500 });
  assertEquals(await reasonOf(accounts), "Error: it has answered 500");
  assert(sent < 64 << 20, `${sent} bytes`); // what sockets hold
});

Deno.test("A hook that redirects to another host gets nobody's password told there", async () => {
  await using other = await AccountHook.start(() => Response.json({ home: "a" }));
  await using hook = await AccountHook.start();
  using accounts = new HookAccounts({ url: hook.url, tokenFile: hook.tokenFile, maxFailures: 100 });
  for (const status of [301, 302, 303, 307, 308]) {
    hook.answer = () => new Response(null, { status, headers: { location: other.url } });
    assertEquals(await reasonOf(accounts), `Error: it has answered ${status}`);
  }
  assertEquals(other.asked, []);
});

Deno.test("A hook that answers a page, or what is no JSON, lets nobody in", async () => {
  await using hook = await AccountHook.start();
  using accounts = new HookAccounts({ url: hook.url, tokenFile: hook.tokenFile, maxFailures: 100 });
  const wrongType = "Error: it has answered 200 without JSON (Content-Type: application/json)";
  for (
    const [body, type, reason] of [
      ["<h1>planted</h1>", "text/html", wrongType],
      ['{"home": "a"}', "text/plain", wrongType],
      ['{"planted', "application/json", "SyntaxError: Cannot use the answer: it is not JSON"],
      ["", "application/json", "SyntaxError: Cannot use the answer: it is not JSON"],
      ["true", "application/json", "SyntaxError: Cannot use the answer: it is not a mapping"],
      ["null", "application/json", "SyntaxError: Cannot use the answer: it is not a mapping"],
      ["[]", "application/json", "SyntaxError: Cannot use the answer: it is not a mapping"],
    ] as const
  ) {
    hook.answer = () => new Response(body, { headers: { "content-type": type } });
    assertEquals(await reasonOf(accounts), reason);
  }
  hook.answer = () => new Response(new Uint8Array([0x22, 0xff, 0x22]), JSON_TYPE);
  assertMatch(await reasonOf(accounts), /^TypeError/);
});

Deno.test("A hook that cuts its answers lets nobody in", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using hook = await AccountHook.start();
  const answers = [
    "",
    "HTTP/1.1 200 OK\r\n",
    'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"home":"a"}',
  ];
  const serving = (async () => {
    for (const answer of answers) {
      using connection = await listener.accept();
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode(answer));
    }
  })();
  using accounts = new HookAccounts({
    url: `http://127.0.0.1:${listener.addr.port}/`,
    tokenFile: hook.tokenFile,
    maxFailures: 100,
  });
  for (const _ of answers) await reasonOf(accounts);
  await serving;
});

Deno.test("A file with more than a token shows nothing of it in the log", async () => {
  await using hook = await AccountHook.start();
  await Deno.writeTextFile(hook.tokenFile, "0123456789abcdef\nfedcba9876543210\n");
  using accounts = new HookAccounts({ url: hook.url, tokenFile: hook.tokenFile });
  assertEquals(await reasonOf(accounts), "Error: the token is not one word of printable ASCII");
});

Deno.test("A token on a disk that does not answer is not waited for longer than for a hook", async () => {
  const { readTextFile } = Deno;
  using _restored = { [Symbol.dispose]: () => void (Deno.readTextFile = readTextFile) };
  Deno.readTextFile = () => Promise.withResolvers<string>().promise;
  using accounts = new HookAccounts({ url: "http://127.0.0.1:9/", tokenFile: "/mnt/token", timeout: 0.2 });
  const login = async () => await accounts.login(ALICE, { signal });
  const error = await assertRejects(login, AuthorizerBusyError);
  assertMatch(String(error.cause), /no answer within 0.2 s/);
});
