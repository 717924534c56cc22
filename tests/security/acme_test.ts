/** Who asks on port 80 without being a CA, and CAs that want to hold the server, fill its memory, or lead it elsewhere. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AcmeClient } from "../../lib/acme/acme_client.ts";
import { AcmeError, printable, problemError, readProblem } from "../../lib/acme/acme_error.ts";
import { type AcmeAnswer, AcmeTransport } from "../../lib/acme/acme_transport.ts";
import { ChallengeListener } from "../../lib/acme/challenge_listener.ts";
import { createAccountKey, readAccountKey } from "../../lib/acme/jws.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";

const TOKEN = "tokentokentokentoken";
const { signal } = new AbortController();

Deno.test("Clients that say nothing on port 80 keep no CA from its answer", async () => {
  await using challenges = new ChallengeListener({ host: "127.0.0.1", port: 0 });
  await challenges.use(new Map([[TOKEN, "answer"]]));
  const port = challenges.port ?? 0;
  using opened = new DisposableStack();
  for (let index = 0; index < 200; index++) {
    const connection = opened.use(await Deno.connect({ hostname: "127.0.0.1", port }));
    if (index % 2 === 0) await connection.write(new TextEncoder().encode("GET /.well")).catch(() => {}); // it may have gone
  }
  const startedAt = performance.now();
  const response = await fetch(`http://127.0.0.1:${port}/.well-known/acme-challenge/${TOKEN}`);
  assertEquals(await response.text(), "answer");
  assert(performance.now() - startedAt < 2_000);
});

Deno.test("A client that sends a byte at a time on port 80 is cut off", async () => {
  await using challenges = new ChallengeListener({ host: "127.0.0.1", port: 0, timeoutMs: 200 });
  await challenges.use(new Map([[TOKEN, "answer"]]));
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: challenges.port ?? 0 });
  const sending = (async () => {
    for (let index = 0; index < 100; index++) {
      await connection.write(new Uint8Array([71]));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await assertRejects(() => sending);
});

/** A CA that answers what a test wants. */
async function hostileCa(answer: (path: string) => Response | Promise<Response>) {
  const { certificate, key } = await createEphemeralCertificate({ names: ["127.0.0.1"] });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert: certificate, key, onListen: () => {} },
    (request) => answer(new URL(request.url).pathname),
  );
  const url = `https://127.0.0.1:${server.addr.port}`;
  return { url, certificate, [Symbol.asyncDispose]: () => server.shutdown() };
}

async function clientOf({ url, certificate }: { url: string; certificate: string }, timeoutMs: number) {
  const transport = new AcmeTransport({ ca: certificate, timeoutMs });
  const client = new AcmeClient(transport, `${url}/dir`, { key: await readAccountKey(await createAccountKey()) });
  return { client, transport };
}

async function failureOf(
  answer: (url: string, path: string) => Response | Promise<Response>,
  timeoutMs = 20_000,
): Promise<AcmeError> {
  const place = { url: "" };
  await using ca = await hostileCa((path) => answer(place.url, path));
  place.url = ca.url;
  const { client, transport } = await clientOf(ca, timeoutMs);
  using _transport = transport;
  return await assertRejects(() => client.register({}, signal), AcmeError);
}

const json = (value: unknown, headers: Record<string, string> = {}) => new Response(JSON.stringify(value), { headers });

Deno.test("A CA cannot fill the memory, nor hold the server", async () => {
  const endless = await failureOf(() =>
    new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) }))
  );
  assertEquals([endless.kind, endless.message], ["badAnswer", "the CA answers at endless length"]);
  const late = await failureOf(() => new Promise((resolve) => setTimeout(() => resolve(json({})), 800)), 500);
  assertMatch(late.message, /no answer within 0\.5 s/);
});

Deno.test("A CA cannot lead the server elsewhere, nor away from TLS", async () => {
  const redirect = await failureOf(() => Response.redirect("https://127.0.0.1:9/", 302));
  assertEquals(redirect.kind, "badAnswer");
  const clear = await failureOf((_url, path) =>
    path === "/dir" ? json({ newNonce: "http://127.0.0.1:9/", newAccount: "x", newOrder: "x" }) : json({})
  );
  assertMatch(clear.message, /no address of HTTPS: http:\/\/127\.0\.0\.1:9\//);
});

Deno.test("A CA that refuses every nonce, or answers nonsense, is given up", async () => {
  let posts = 0;
  const directory = (url: string) =>
    json({ newNonce: `${url}/nonce`, newAccount: `${url}/account`, newOrder: `${url}/o` });
  const nonces = await failureOf((url, path) => {
    if (path === "/dir") return directory(url);
    if (path === "/nonce") return json({}, { "replay-nonce": "abc" });
    posts++;
    return new Response(JSON.stringify({ type: "urn:ietf:params:acme:error:badNonce" }), { status: 400 });
  });
  assertEquals([nonces.type, posts], ["badNonce", 20]);
  for (const text of ["", "[]", "null", '{"newNonce":5}', "<html>"]) {
    assertEquals((await failureOf(() => new Response(text))).kind, "badAnswer", text);
  }
});

Deno.test("Tokens that are none get into no path, and texts of a CA command no terminal", async () => {
  const order = { status: "pending", authorizations: ["https://x/1"], finalize: "https://x/f" };
  for (const token of ["../../etc/passwd", "a\r\nb", "", "x".repeat(300), 5]) {
    const transport = {
      send: (): Promise<AcmeAnswer> => {
        const text = JSON.stringify({
          ...order,
          identifier: { type: "dns", value: "a" },
          challenges: [{ type: "http-01", url: "https://x/c", token }],
          newNonce: "https://x",
          newAccount: "https://x",
          newOrder: "https://x",
        });
        return Promise.resolve({ status: 200, headers: new Headers({ "replay-nonce": "abc" }), text });
      },
    } as unknown as AcmeTransport;
    const client = new AcmeClient(transport, "https://x/dir", { key: await readAccountKey(await createAccountKey()) });
    await assertRejects(() => client.authorization("https://x/1", signal), AcmeError, "token");
  }
  const nasty = "\x1b[2J\r\nforged\u202e line".repeat(100);
  const { message } = problemError(readProblem({ type: nasty, detail: nasty, identifier: { value: nasty } }));
  assert(!/[\p{Cc}\u202e]/u.test(message));
  assert(message.length < 2_000);
  assert(printable(nasty).length <= 500);
});
