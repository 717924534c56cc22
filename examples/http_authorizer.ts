/**
 * An authorizer of its own: asks a service by HTTP who may log in.
 *
 * The service gets `{"username", "password", "remoteHost"}` by POST. It answers 200 with `{"home", "permissions"}`, or 401
 * for an unknown user and a wrong password alike. When it is down, or slow, the client is told to come back later (421), and
 * the attempt is no failed login. The password is passed on, and never logged. Use https where the service is another host.
 *
 * ```sh
 * mkdir -p homes/alice
 * deno run --allow-net=127.0.0.1 --allow-read=homes --allow-write=homes examples/http_authorizer.ts http://127.0.0.1:8000/login homes 2121
 * ```
 *
 * Try, with the first line in a shell of its own as the service:
 *
 * ```sh
 * deno eval 'Deno.serve({ port: 8000 }, async (request) => (await request.json()).password === "12345" ? Response.json({ home: "alice", permissions: "elradfmw" }) : new Response(null, { status: 401 }))'
 * curl --ssl-reqd --insecure --user alice:12345 --upload-file README.md ftp://127.0.0.1:2121/
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { type Account, type Authorizer, AuthorizerBusyError, type Credentials, FtpServer } from "@ftpsd/ftpsd";
import { LocalFileSystem, WriteClaims } from "@ftpsd/ftpsd";

const TIMEOUT_MS = 5_000;

class HttpAuthorizer implements Authorizer {
  readonly #url: string;
  readonly #homes: string;
  /** One for all sessions, so that no file is written by two of them. */
  readonly #writeClaims = new WriteClaims();

  constructor(url: string, homes: string) {
    this.#url = url;
    this.#homes = homes;
  }

  async authenticate(
    credentials: Credentials,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Account | undefined> {
    const answer = await this.#ask(credentials, signal).catch((cause) => {
      signal.throwIfAborted(); // The client has left: the service is not to blame.
      console.error(`Cannot ask the service about ${JSON.stringify(credentials.username)}: ${cause}`);
      throw new AuthorizerBusyError("The service of the accounts does not answer", { cause });
    });
    return answer && this.#open(credentials.username, answer);
  }

  /** What the service knows of the user; `undefined` when it knows none with this password. */
  async #ask(credentials: Credentials, signal: AbortSignal): Promise<Record<string, unknown> | undefined> {
    const { username, password, remoteHost } = credentials;
    const response = await fetch(this.#url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username, password, remoteHost }),
      redirect: "error", // The password goes nowhere else.
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    if (response.ok) return await response.json();
    await response.body?.cancel();
    if (response.status === 401) return undefined;
    throw new Error(`it answered ${response.status}`);
  }

  #open(username: string, { home, permissions }: Record<string, unknown>): Account {
    // One folder below the homes, whatever the service says.
    if (typeof home !== "string" || !/^[\w-]+$/.test(home)) throw new TypeError("The service gave no usable home");
    if (typeof permissions !== "string") throw new TypeError("The service gave no permissions");
    return {
      username,
      fileSystem: new LocalFileSystem(`${this.#homes}/${home}`, { writeClaims: this.#writeClaims }),
      permissions,
      loginMessage: "Login successful.",
      quitMessage: "Goodbye.",
      hasPermission: (letter) => permissions.includes(letter),
    };
  }
}

const [url = "http://127.0.0.1:8000/login", homes = "homes", port = "2121"] = Deno.args;
const authorizer = new HttpAuthorizer(url, homes);

await using server = new FtpServer({
  authorizer,
  listen: [{ host: "127.0.0.1", port: Number(port) }],
  on: { internalError: ({ message }) => console.error(message) }, // What authenticate() throws, and clients never see.
});
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
