import { assertEquals, assertMatch } from "@std/assert";
import { withDeadline } from "../helpers/socket_reader.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

const PASSWORD = "correct horse battery staple";
const URL_OF_HEADER = "http://127.0.0.1:8000/login";

/** A service of accounts that remembers what it was asked. */
class AccountService implements AsyncDisposable {
  readonly asked: unknown[] = [];
  /** What it answers. */
  answer = (_request: Request): Response | Promise<Response> => Response.json({ home: "alice", permissions: "elrw" });
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      this.asked.push(await request.json());
      return await this.answer(request);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/login`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

async function start(folder: TemporaryFolder, url: string): Promise<ExampleProgram> {
  await Deno.mkdir(`${folder.path}/homes/alice`, { recursive: true });
  return await ExampleProgram.start("http_authorizer", { cwd: folder.path, exchange: { [URL_OF_HEADER]: url } });
}

Deno.test("http_authorizer.ts gives the account that the service says", async () => {
  await using folder = await TemporaryFolder.create();
  await using service = new AccountService();
  await using example = await start(folder, service.url);
  await using client = await example.login("alice", PASSWORD);
  assertEquals(service.asked, [{ username: "alice", password: PASSWORD, remoteHost: "127.0.0.1" }]);
  await client.store("a.txt", new TextEncoder().encode("hers"));
  assertEquals(await Deno.readTextFile(`${folder.path}/homes/alice/a.txt`), "hers");
  assertEquals((await client.command("DELE a.txt")).code, 550);
  await example.stop();
});

Deno.test("http_authorizer.ts refuses whom the service does not know, in the same words for all", async () => {
  await using folder = await TemporaryFolder.create();
  await using service = new AccountService();
  service.answer = () => new Response("no such user", { status: 401 });
  await using example = await start(folder, service.url);
  const answers = ["alice", "nobody"].map(async (name) => {
    await using client = await example.connect();
    const { text } = await client.expect(331, `USER ${name}`);
    return [text, (await client.command("PASS wrong")).text];
  });
  const expected = ["331 Username ok, send password.", "530 Authentication failed."];
  assertEquals(await Promise.all(answers), [expected, expected]);
  await example.stop();
});

const TROUBLES = [
  ["is down", undefined, 421, /^Cannot ask the service about "alice": TypeError/],
  ["fails", () => new Response("stack trace", { status: 500 }), 421, /^Cannot ask .*: Error: it answered 500$/],
  ["talks no JSON", () => new Response("<html>"), 421, /^Cannot ask .*: SyntaxError/],
  ["sends the password elsewhere", () => Response.redirect("http://127.0.0.1:9/", 307), 421, /^Cannot ask .*redirect/],
  ["gives a home outside", () => Response.json({ home: "../..", permissions: "elr" }), 451, /no usable home$/],
  ["gives no permissions", () => Response.json({ home: "alice" }), 451, /no permissions$/],
] as const;

for (const [trouble, answer, code, message] of TROUBLES) {
  Deno.test(`http_authorizer.ts answers ${code}, and tells its operator, when the service ${trouble}`, async () => {
    await using folder = await TemporaryFolder.create();
    await using service = new AccountService();
    await using example = await start(folder, service.url);
    if (answer === undefined) await service[Symbol.asyncDispose]();
    else service.answer = answer;
    await using client = await example.connect();
    await client.expect(331, "USER alice");
    const reply = await client.command(`PASS ${PASSWORD}`);
    assertEquals(reply.code, code);
    assertMatch((await example.line(message)).input, message);
    assertEquals([...example.lines, reply.text].filter((line) => line.includes(PASSWORD)), []);
    await example.stop();
  });
}

Deno.test("http_authorizer.ts waits for the service no longer than its time limit, nor than the client stays", async () => {
  await using folder = await TemporaryFolder.create();
  await using service = new AccountService();
  const asked = Promise.withResolvers<AbortSignal>();
  const answer = Promise.withResolvers<Response>();
  using answered = new DisposableStack();
  answered.defer(() => answer.resolve(new Response())); // The service cannot stop before.
  service.answer = ({ signal }) => {
    asked.resolve(signal);
    return answer.promise;
  };
  await using example = await start(folder, service.url);
  const leaving = await example.connect();
  await leaving.expect(331, "USER alice");
  await leaving.send(`PASS ${PASSWORD}\r\n`);
  const signal = await asked.promise;
  const given = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => given.resolve(), { once: true });
  await leaving.reset();
  await withDeadline(given.promise, "the question to be given up", 4_000);
  assertEquals(example.lines.filter((line) => line.startsWith("Cannot ask")), []);

  await using staying = await example.connect();
  await staying.expect(331, "USER alice");
  assertEquals((await staying.command(`PASS ${PASSWORD}`)).code, 421);
  await example.line(/^Cannot ask the service about "alice": TimeoutError/);
  await example.stop();
});
