import { assertEquals } from "@std/assert";
import { type Authorizer, AuthorizerBusyError } from "../../lib/accounts/authorizer.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const FAILURES = 3;
const WRONG = 6;
const CLIENTS = 10;

/** Looks at no password before it is told to. */
class HesitantAuthorizer implements Authorizer {
  readonly passwords: string[] = [];
  readonly #inner = new VirtualAuthorizer();
  readonly #open = Promise.withResolvers<void>();

  constructor() {
    this.#inner.addUser(USER.name, USER.password, new MemoryFileSystem());
  }

  decide(): void {
    this.#open.resolve();
  }

  authenticate: Authorizer["authenticate"] = async (credentials, options) => {
    this.passwords.push(credentials.password);
    await this.#open.promise;
    return await this.#inner.authenticate(credentials, options);
  };
}

/** Connects them all and lets each give a password; resolves when the server has seen all of them. */
async function guess(server: TestServer, passwords: readonly string[], stack: AsyncDisposableStack) {
  const clients: RawClient[] = [];
  for (const password of passwords) {
    const client = stack.use(await server.connect());
    await client.expect(331, `USER ${USER.name}`);
    await client.send(`PASS ${password}\r\n`);
    clients.push(client);
  }
  const seen = () => server.events.filter((event) => event.event === "dialogue" && event.line.startsWith("PASS"));
  await server.event("dialogue", () => seen().length === passwords.length);
  return clients;
}

Deno.test("Guesses that are made all at once are no more than a ban allows, and a right one behind them fails", async () => {
  const authorizer = new HesitantAuthorizer();
  await using server = await TestServer.start({ server: { authorizer, dialogue: true, ban: { failures: FAILURES } } });
  await using stack = new AsyncDisposableStack();
  const passwords = Array.from({ length: CLIENTS }, (_, index) => index < WRONG ? `wrong${index}` : USER.password);
  const clients = await guess(server, passwords, stack);
  authorizer.decide();
  const codes = await Promise.all(clients.map(async (client) => (await client.readReply("PASS")).code));
  assertEquals(authorizer.passwords, passwords.slice(0, FAILURES));
  assertEquals(codes.toSorted(), [...Array(CLIENTS - FAILURES + 1).fill(421), ...Array(FAILURES - 1).fill(530)]);
  assertEquals(server.events.filter(({ event }) => event === "loginSucceeded"), []);
  assertEquals(server.events.filter(({ event }) => event === "loginFailed").length, FAILURES);
});

Deno.test("Users who log in all at once from one address all get in, whatever a ban allows", async () => {
  const authorizer = new HesitantAuthorizer();
  await using server = await TestServer.start({ server: { authorizer, dialogue: true, ban: { failures: FAILURES } } });
  await using stack = new AsyncDisposableStack();
  const clients = await guess(server, Array(CLIENTS).fill(USER.password), stack);
  // One leaves, whose turn comes all the same.
  await clients[FAILURES]?.reset();
  authorizer.decide();
  const others = clients.filter((_, index) => index !== FAILURES);
  for (const client of others) assertEquals((await client.readReply("PASS")).code, 230);
});

Deno.test("Clients who leave while passwords are checked are gone at once, and what was begun counts", async () => {
  const authorizer = new HesitantAuthorizer();
  await using server = await TestServer.start({ server: { authorizer, dialogue: true, ban: { failures: 2 } } });
  await using stack = new AsyncDisposableStack();
  const [first, second, waiting] = await guess(server, ["one", "two", "never"], stack);
  for (const client of [waiting, second]) await leave(server, client);
  const another = stack.use(await server.connect());
  await another.expect(331, `USER ${USER.name}`);
  await another.send(`PASS ${USER.password}\r\n`);
  await leave(server, first);
  assertEquals((await another.readReply("PASS")).text, "421 Too many failed logins, try again later.");
  assertEquals(authorizer.passwords, ["one", "two"]);
  const names = server.events.map(({ event }) => event).filter((name) => name === "loginFailed" || name === "banned");
  assertEquals(names, ["loginFailed", "loginFailed", "banned"]);
  authorizer.decide();
});

Deno.test("Clients who leave before their passwords are looked at count as nothing, and keep nobody waiting", async () => {
  const authorizer = new HesitantAuthorizer();
  await using server = await TestServer.start({ server: { authorizer, dialogue: true, ban: { failures: 1 } } });
  await using stack = new AsyncDisposableStack();
  const [checked, ...waiting] = await guess(server, [USER.password, "a", "b", "c"], stack);
  for (const client of waiting) await leave(server, client);
  const another = stack.use(await server.connect());
  await another.expect(331, `USER ${USER.name}`);
  await another.send(`PASS ${USER.password}\r\n`);
  authorizer.decide();
  assertEquals((await checked?.readReply("PASS"))?.code, 230);
  assertEquals((await another.readReply("PASS")).code, 230);
  assertEquals(authorizer.passwords, [USER.password, USER.password]);
});

async function leave(server: TestServer, client: RawClient | undefined): Promise<void> {
  const remote = `127.0.0.1:${client?.localPort}`;
  await client?.reset();
  await server.event("disconnected", (event) => event.remote === remote);
}

Deno.test("An authorizer that fails has its attempts counted, but for one that is too busy to look", async () => {
  for (
    const [error, code, counts] of [
      [new AuthorizerBusyError("full"), 421, false],
      [new AuthorizerBusyError("full", { countsAsFailure: true }), 421, true],
      [new Error("broken"), 451, true],
    ] as const
  ) {
    const authorizer = { authenticate: () => Promise.reject(error) };
    await using server = await TestServer.start({ server: { authorizer, ban: { failures: 1 } } });
    await using client = await server.connect();
    await client.expect(331, "USER user");
    assertEquals((await client.command("PASS x")).code, code);
    for (const event of ["loginFailed", "banned"] as const) {
      assertEquals(server.events.some((told) => told.event === event), counts, `${event}: ${error}`);
    }
    server.events.length = 0;
  }
});
