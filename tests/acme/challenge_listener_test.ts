import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AcmeError } from "../../lib/acme/acme_error.ts";
import { ChallengeListener } from "../../lib/acme/challenge_listener.ts";

const TOKEN = "tokentokentokentoken";

/** Sends a text, and reads all that comes. */
async function exchange(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}

function listener(timeoutMs = 5_000): ChallengeListener {
  return new ChallengeListener({ host: "127.0.0.1", port: 0, timeoutMs });
}

Deno.test("ChallengeListener answers the tokens that it has, and nothing else", async () => {
  await using challenges = listener();
  await challenges.use(new Map([[TOKEN, `${TOKEN}.print`]]));
  const port = challenges.port ?? 0;
  const get = (path: string, end = " HTTP/1.1\r\nHost: a\r\n\r\n") => exchange(port, `GET ${path}${end}`);
  const answer = await get(`/.well-known/acme-challenge/${TOKEN}`);
  assertMatch(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assertEquals(answer.split("\r\n\r\n")[1], `${TOKEN}.print`);
  const others = ["/", `/.well-known/acme-challenge/${TOKEN}x`, "/.well-known/acme-challenge/", `/${TOKEN}`, "/../x"];
  for (const path of others) assertMatch(await get(path), /^HTTP\/1\.1 404 /, path);
  assertMatch(await exchange(port, `POST /.well-known/acme-challenge/${TOKEN} HTTP/1.1\r\n\r\n`), /^HTTP\/1\.1 404 /);
  assertMatch(await exchange(port, "nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
  assertMatch(await exchange(port, `GET / HTTP/1.1\r\nX: ${"x".repeat(5000)}`), /^HTTP\/1\.1 400 |^$/);
});

Deno.test("ChallengeListener is open only while there is something to answer", async () => {
  await using challenges = listener();
  assertEquals(challenges.port, undefined);
  await challenges.use(new Map([[TOKEN, "text"]]));
  const port = challenges.port ?? 0;
  using silent = await Deno.connect({ hostname: "127.0.0.1", port });
  await challenges.use(new Map());
  assertEquals(challenges.port, undefined);
  assertEquals(await silent.read(new Uint8Array(1)).catch(() => null), null);
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
});

Deno.test("ChallengeListener says that the port is in use", async () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using challenges = new ChallengeListener({ host: "127.0.0.1", port: other.addr.port });
  const error = await assertRejects(() => challenges.use(new Map([[TOKEN, "text"]])), AcmeError);
  assertEquals(error.kind, "local");
  assertMatch(error.message, /is in use \(tls\.acme\.httpPort\): let the web server there forward/);
});
