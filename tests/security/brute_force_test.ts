import { assertEquals } from "@std/assert";
import type { Authorizer } from "../../lib/auth/authorizer.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory_filesystem.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { withDeadline } from "../helpers/socket_reader.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

const FAILURES = 3;
const WRONG = 6;
const CLIENTS = 10;

/** Looks at no password before it is told to. */
class HesitantAuthorizer implements Authorizer {
  readonly passwords: string[] = [];
  onAsked?: () => void;
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
    this.onAsked?.();
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

Deno.test("Clients who leave while passwords are checked are gone at once, and keep nobody waiting", async () => {
  const authorizer = new HesitantAuthorizer();
  await using server = await TestServer.start({ server: { authorizer, dialogue: true, ban: { failures: 1 } } });
  await using stack = new AsyncDisposableStack();
  const [checked, waiting] = await guess(server, ["never", "heard"], stack);
  for (const client of [waiting, checked]) {
    const remote = `127.0.0.1:${client?.localPort}`;
    await client?.reset();
    await server.event("disconnected", (event) => event.remote === remote);
  }
  const another = stack.use(await server.connect());
  await another.expect(331, `USER ${USER.name}`);
  const asked = Promise.withResolvers<void>();
  authorizer.onAsked = asked.resolve;
  await another.send(`PASS ${USER.password}\r\n`);
  await withDeadline(asked.promise, "the authorizer to be asked", 10_000);
  assertEquals(authorizer.passwords, ["never", USER.password]);
  authorizer.decide();
  assertEquals((await another.readReply("PASS")).code, 230);
});
