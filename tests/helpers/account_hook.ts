/**
 * A hook for accounts, for tests: answers what they say.
 *
 * @module
 */

import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { TemporaryFolder } from "./temporary_folder.ts";

/** The token that it wants. */
export const HOOK_TOKEN = "0123456789abcdef0123456789abcdef";

/** What it was asked. */
export interface AskedHook {
  readonly username: string;
  readonly password: string;
  readonly address: string;
  readonly version: number;
}

/** Answers a request; by default with 404. */
export type HookAnswer = (asked: AskedHook, request: Request) => Response | Promise<Response>;

/** A hook on a loopback port, in clear, until it is disposed of. */
export class AccountHook implements AsyncDisposable {
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #folder: TemporaryFolder;
  readonly #closing = new AbortController();
  /** What it was asked so far. */
  readonly asked: AskedHook[] = [];
  /** How it answers. */
  answer: HookAnswer;

  private constructor(folder: TemporaryFolder, answer: HookAnswer, pair?: { cert: string; key: string }) {
    this.#folder = folder;
    this.answer = answer;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      onListen: () => {},
      signal: this.#closing.signal,
      ...pair,
    }, async (request) => {
      if (request.headers.get("authorization") !== `Bearer ${HOOK_TOKEN}`) return new Response(null, { status: 500 });
      const asked = await request.json() as AskedHook;
      this.asked.push(asked);
      return await this.answer(asked, request);
    });
  }

  /** Starts one. @param isSecure Whether it has a certificate, which nobody has signed. */
  static async start(
    answer: HookAnswer = () => new Response(null, { status: 404 }),
    { isSecure = false }: { readonly isSecure?: boolean } = {},
  ): Promise<AccountHook> {
    const folder = await TemporaryFolder.create();
    await Deno.writeTextFile(`${folder.path}/token`, `${HOOK_TOKEN}\n`, { mode: 0o600 });
    if (!isSecure) return new AccountHook(folder, answer);
    const { certificate: cert, key } = await createEphemeralCertificate({ names: ["127.0.0.1"] });
    return new AccountHook(folder, answer, { cert, key });
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/login`;
  }

  /** File with its token. */
  get tokenFile(): string {
    return `${this.#folder.path}/token`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#server.finished.catch(() => {});
    await this.#folder[Symbol.asyncDispose]();
  }
}
