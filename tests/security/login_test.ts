import { assert, assertEquals, assertMatch } from "@std/assert";
import type { AccountSource } from "../../lib/accounts/account_source.ts";
import { AuthorizerBusyError, LoginRefusedError } from "../../lib/accounts/authorizer.ts";
import { PasswordAuthorizer } from "../../lib/accounts/password_authorizer.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const SECRET = "Tr0ub4dor&3";

/** What a client hears when its login fails. */
async function refusals(server: TestServer, username: string, password: string): Promise<readonly string[]> {
  await using client = await server.connect();
  const replies = [];
  for (const line of [`USER ${username}`, `PASS ${password}`, "PWD", `USER ${username}`]) {
    replies.push((await client.command(line)).text);
  }
  return replies;
}

Deno.test("PASS answers alike for an unknown user, a wrong password and an empty one", async () => {
  await using server = await TestServer.start();
  const expected = [
    "331 Username ok, send password.",
    "530 Authentication failed.",
    "530 Log in with USER and PASS first.",
    "331 Username ok, send password.",
  ];
  for (const [username, password] of [["nobody", USER.password], [USER.name, SECRET], [USER.name, ""]] as const) {
    assertEquals(await refusals(server, username, password), expected);
  }
  const failures = server.events.filter((event) => event.event === "loginFailed");
  assertEquals(failures.map((event) => event.username), ["nobody", USER.name, USER.name]);
});

for (const verb of ["PASS", "pass", "PaSs", "\xff\xf4\xff\xf2PASS", " PASS"]) {
  Deno.test(`${JSON.stringify(verb)} never shows its password in an event, whatever becomes of it`, async () => {
    await using server = await TestServer.start({ server: { dialogue: true, limits: { loginAttempts: 0 } } });
    const line = Uint8Array.from(`${verb} ${SECRET}\r\n`, (character) => character.charCodeAt(0));
    await using client = await RawClient.connect({ host: server.host, port: server.port });
    await client.readReply("connecting");
    await sendPassword(client, line); // in clear, where it is refused unread
    await client.startTls();
    await sendPassword(client, line); // without USER
    await client.expect(331, `USER ${USER.name}`);
    await sendPassword(client, line); // wrong
    await client.login(USER.name, USER.password);
    await sendPassword(client, line); // when logged in already
    for (const event of server.events) {
      for (const secret of [SECRET, USER.password]) {
        assert(!Deno.inspect(event).toUpperCase().includes(secret.toUpperCase()), Deno.inspect(event));
      }
    }
    assert(server.events.some((event) => event.event === "dialogue" && event.line.includes("******")));
  });
}

async function sendPassword(client: RawClient, line: Uint8Array): Promise<void> {
  await client.send(line);
  const { code } = await client.readReply("the password");
  assert(code >= 500, String(code));
}

Deno.test("PASS closes the connection after three failures, and a success before counts them anew", async () => {
  await using server = await TestServer.start();
  await using client = await server.connect();
  const fail = async (username: string) => {
    await client.expect(331, `USER ${username}`);
    return (await client.command(`PASS ${SECRET}`)).text;
  };
  assertEquals(await fail(USER.name), "530 Authentication failed.");
  assertEquals(await fail("nobody"), "530 Authentication failed.");
  await client.login(USER.name, USER.password);
  assertEquals(await fail(USER.name), "530 Authentication failed.");
  assertEquals(await fail("nobody"), "530 Authentication failed.");
  assertEquals(await fail(USER.name), "530 Authentication failed. Disconnecting.");
  await client.closed();
  assertEquals((await server.event("disconnected")).reason, "Authentication failed. Disconnecting.");
});

Deno.test("PASS replies 421 and closes when passwords cannot be checked now, which is no failed login", async () => {
  for (
    const [isOutage, text] of [
      [false, "421 Too many logins at once, try again later."],
      [true, "421 Accounts cannot be checked now, try again later."],
    ] as const
  ) {
    const authorizer = { authenticate: () => Promise.reject(new AuthorizerBusyError("full", { isOutage })) };
    await using server = await TestServer.start({ server: { authorizer } });
    await using client = await server.connect();
    await client.expect(331, "USER user");
    assertEquals((await client.command(`PASS ${SECRET}`)).text, text);
    await client.closed();
    assert(!server.events.some((event) => event.event === "loginFailed"));
  }
});

Deno.test("PASS answers a login that is refused for a reason like one with a wrong password; the log has the reason", async () => {
  const refuse = () => Promise.reject(new LoginRefusedError("the account has expired"));
  const settings = { ban: { failures: 1 }, timeouts: { failedLogin: 0 } };
  const heard = [];
  for (const authenticate of [refuse, () => Promise.resolve(undefined)]) {
    await using server = await TestServer.start({ server: { authorizer: { authenticate }, ...settings } });
    await using client = await server.connect();
    await client.expect(331, "USER user");
    const { text } = await client.command(`PASS ${SECRET}`);
    const told = [...server.events];
    heard.push({ text, banned: told.some(({ event }) => event === "banned") });
    const failed = told.filter((event) => event.event === "loginFailed");
    assertEquals(failed.map(({ reason }) => reason), [authenticate === refuse ? "the account has expired" : undefined]);
    assert(!told.some(({ event }) => event === "internalError"));
    server.events.length = 0;
  }
  assertEquals(heard[0], heard[1]);
});

Deno.test("PASS tells nothing of names where accounts come from a source that fails, hangs or has a faulty account", async () => {
  const source: AccountSource = {
    find(name) {
      if (name === "failing") throw new Error(`cannot connect as postgres:${SECRET}`);
      if (name === "hanging") return new Promise(() => {});
      return name === "faulty" ? { password: "12345", home: "", permissions: "every" } : undefined;
    },
  };
  const authorizer = new PasswordAuthorizer(source, { derive: () => Promise.resolve(new Uint8Array(32)) });
  await using server = await TestServer.start({ server: { authorizer, timeouts: { failedLogin: 0, login: 1 } } });
  const replyTo = async (username: string, password = SECRET) => {
    await using client = await server.connect();
    await client.expect(331, `USER ${username}`);
    return (await client.command(`PASS ${password}`)).text;
  };
  for (const username of ["nobody", "faulty"]) assertEquals(await replyTo(username), "530 Authentication failed.");
  for (const [username, password] of [["failing", SECRET], ["faulty", "12345"]] as const) {
    assertMatch(await replyTo(username, password), /^451 [^:]*$/);
  }
  assertMatch(await replyTo("hanging"), /^421 /);
  const causes = server.events.flatMap((event) => event.event === "internalError" ? [String(event.cause)] : []);
  assertEquals(causes, [
    `Error: cannot connect as postgres:${SECRET}`,
    'SyntaxError: Cannot use permissions "every": "v" is not one of elradfmwMT',
  ]);
  await server.event("disconnected", (event) => event.username === "hanging");
  assertEquals(server.events.filter((event) => event.event === "loginFailed").length, 5);
  server.events.length = 0; // the errors are what was asked for
});
