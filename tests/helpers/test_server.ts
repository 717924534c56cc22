/**
 * Servers for tests: port 0 on a loopback address, accounts `user` (all rights) and `anonymous` (read only).
 *
 * @module
 */

import type { FileSystem } from "../../lib/filesystem/filesystem.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import type { ServerEvent, ServerEventName } from "../../lib/events.ts";
import { FtpServer, type FtpServerParts } from "../../lib/server/ftp_server.ts";
import type { FtpServerOptions } from "../../lib/server/options.ts";
import { RISK_IDS } from "../../lib/settings/risks.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import type { CertificatePair } from "../../lib/transport/certificate_pair.ts";
import { RawClient, type RawClientOptions } from "./raw_client.ts";

/** How the control connections of a test are protected. */
export type Protection = "explicit" | "implicit" | "clear";

/** All three. */
export const PROTECTIONS: readonly Protection[] = ["explicit", "implicit", "clear"];

/** User of every test server, with all rights. */
export const USER = { name: "user", password: "12345" } as const;

/** What a test server is made of. */
export interface TestServerOptions {
  /** Home of both accounts: a folder of the host or a file system; absent: an empty one in memory. */
  readonly home?: string | FileSystem;
  /** How control connections are protected; `clear` switches TLS off. Default `explicit`. */
  readonly protection?: Protection;
  /** Loopback address to listen on; default `127.0.0.1`. */
  readonly host?: string;
  /** Balancers that are trusted; absent: clients come by themselves. */
  readonly proxyProtocol?: readonly string[];
  /** Further options of the server; `tls` is merged. */
  readonly server?: Partial<Omit<FtpServerOptions, "listen" | "onEvent">>;
  /** What it shares with others. */
  readonly parts?: FtpServerParts;
}

let sharedPair: Promise<CertificatePair> | undefined;

/** The certificate of all test servers of this test file: for localhost, 127.0.0.1 and ::1. */
export function testCertificate(): Promise<CertificatePair> {
  sharedPair ??= createEphemeralCertificate({ names: ["localhost", "127.0.0.1", "::1"] });
  return sharedPair;
}

/** A running server and what it has told. */
export class TestServer implements AsyncDisposable {
  /** The server itself. */
  readonly server: FtpServer;
  /** Every event until now. */
  readonly events: ServerEvent[];
  /** Certificate as PEM, for clients that verify it. */
  readonly caCert: string;
  readonly #protection: Protection;
  readonly #waiting: Set<() => void>;

  private constructor(
    server: FtpServer,
    state: { events: ServerEvent[]; waiting: Set<() => void>; caCert: string; protection: Protection },
  ) {
    this.server = server;
    this.events = state.events;
    this.caCert = state.caCert;
    this.#protection = state.protection;
    this.#waiting = state.waiting;
  }

  /** Starts a server. */
  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const { protection = "explicit", host = "127.0.0.1", home = new MemoryFileSystem(), proxyProtocol } = options;
    const authorizer = new VirtualAuthorizer();
    authorizer.addUser(USER.name, USER.password, home, { permissions: "elradfmwMT" });
    authorizer.addAnonymous(home);
    const pair = await testCertificate();
    const events: ServerEvent[] = [];
    const waiting = new Set<() => void>();
    const server = new FtpServer({
      authorizer,
      acceptRisks: RISK_IDS,
      ban: { failures: 0 },
      ...options.server,
      timeouts: { failedLogin: 0, ...options.server?.timeouts },
      tls: { ...pair, ...protection === "clear" ? { policy: "off" } : {}, ...options.server?.tls },
      listen: [{
        host,
        port: 0,
        tls: protection === "implicit" ? "implicit" : "explicit",
        ...proxyProtocol && { proxyProtocol },
      }],
      onEvent: (event) => {
        events.push(event);
        for (const wake of [...waiting]) wake();
      },
    }, options.parts);
    await server.listen();
    return new TestServer(server, { events, waiting, caCert: pair.certificate, protection });
  }

  /** Port of the server. */
  get port(): number {
    return this.server.addresses[0]?.port ?? 0;
  }

  /** Address of the server. */
  get host(): string {
    return this.server.addresses[0]?.host ?? "";
  }

  /** Connects a raw client, reads the greeting, and starts TLS where the server has it. */
  async connect(options: Partial<RawClientOptions> = {}): Promise<RawClient> {
    const implicit = this.#protection === "implicit" ? { tls: "implicit" } as const : {};
    const client = await RawClient.connect({ host: this.host, port: this.port, ...implicit, ...options });
    await client.readReply("connecting");
    if (this.#protection === "explicit") await client.startTls();
    return client;
  }

  /** Connects and logs in as {@linkcode USER} or the given user, with protected data connections where there is TLS. */
  async login(options: Partial<RawClientOptions> & { readonly username?: string } = {}): Promise<RawClient> {
    const { username = USER.name, ...rest } = options;
    const client = await this.connect(rest);
    await client.login(username, USER.password);
    return client;
  }

  /** Waits for the first event of a name that fits, also one of the past. Rejects after 10 s. */
  async event<Name extends ServerEventName>(
    name: Name,
    fits: (event: Extract<ServerEvent, { readonly event: Name }>) => boolean = () => true,
  ): Promise<Extract<ServerEvent, { readonly event: Name }>> {
    const find = () =>
      this.events.find((event): event is Extract<ServerEvent, { readonly event: Name }> =>
        event.event === name && fits(event as Extract<ServerEvent, { readonly event: Name }>)
      );
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const check = () => find() && resolve();
    const deadline = setTimeout(() => reject(new Error(`Waited in vain for the event "${name}"`)), 10_000);
    this.#waiting.add(check);
    try {
      check();
      await promise;
    } finally {
      clearTimeout(deadline);
      this.#waiting.delete(check);
    }
    return find() as Extract<ServerEvent, { readonly event: Name }>;
  }

  /** Shuts the server down and fails on internal errors, which no test may leave unseen. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.shutdown();
    const errors = this.events.filter((event) => event.event === "internalError");
    if (errors.length > 0) throw new Error(`The server had internal errors: ${Deno.inspect(errors)}`);
  }
}
