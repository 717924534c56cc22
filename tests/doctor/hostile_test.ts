import { assert, assertEquals, assertMatch } from "@std/assert";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { TestServer } from "../helpers/test_server.ts";
import { examine, idsOf } from "./examine.ts";
import { LyingRelay } from "./lying_relay.ts";

/** A server that says the same to everybody, without end where `isEndless`, and listens to nothing. */
class DeafServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #tasks: Promise<void>[] = [];
  readonly #conns: Deno.Conn[] = [];
  readonly #accepting: Promise<void>;

  constructor(bytes: Uint8Array, { isEndless }: { readonly isEndless: boolean }) {
    this.#accepting = this.#accept(bytes, isEndless);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(bytes: Uint8Array, isEndless: boolean): Promise<void> {
    for await (const conn of this.#listener) {
      this.#conns.push(conn);
      this.#tasks.push(this.#speak(conn, bytes, isEndless));
    }
  }

  async #speak(conn: Deno.Conn, bytes: Uint8Array, isEndless: boolean): Promise<void> {
    try {
      do await conn.write(bytes); while (isEndless);
    } catch {
      // The client has gone.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const conn of this.#conns) conn.close();
    await Promise.all(this.#tasks);
  }
}

const encode = (text: string) => new TextEncoder().encode(text);

for (
  const [name, bytes, finding] of [
    ["a line without end", encode("220 aaaaaaaaaaaaaaaaaaaaaaaaaaaa".repeat(500)), /a line of more than 8192 bytes/],
    ["a reply without end", encode("220-hello\r\n".repeat(500)), /has no end/],
    ["bytes of no kind", new Uint8Array(1024), /a line of more than 8192 bytes/],
  ] as const
) {
  Deno.test(`doctor gives up a server that sends ${name}`, async () => {
    await using server = new DeafServer(bytes, { isEndless: true });
    const findings = await examine({ port: server.port });
    assertEquals(idsOf(findings, "error"), ["greeting"]);
    assertMatch(findings["greeting"]?.finding ?? "", finding);
    const implicit = await examine({ port: server.port, mode: "implicit" });
    assert(idsOf(implicit, "error").length > 0);
  });
}

Deno.test("doctor gives up a server that says nothing", async () => {
  await using server = new DeafServer(new Uint8Array(0), { isEndless: false });
  const findings = await examine({ port: server.port, timeoutMs: 300 });
  assertEquals(findings["greeting"]?.finding, "no greeting in 1 s");
  assertEquals(idsOf(findings, "error"), ["greeting"]);
});

Deno.test("doctor connects to nobody else, whatever PASV announces", async () => {
  await using server = await TestServer.start({ protection: "clear" });
  await using relay = new LyingRelay(server.port, {
    answer: (line) => line === "EPSV" ? "500 What?" : undefined,
    change: (line) => line.replace(/\(127,0,0,1,/, "(127,0,0,2,"),
  });
  const findings = await examine({ port: relay.port, mayUpload: true });
  // Nobody listens on 127.0.0.2: files that come back went to the address of the control connection.
  assertEquals(findings["round-trip"]?.severity, "ok");
  assertEquals(findings["passive-ports"]?.severity, "ok");
  assertMatch(findings["passive-address"]?.finding ?? "", /^PASV announces 127\.0\.0\.2, which is private/);
});

Deno.test("doctor ends when it is told to, and reports what it has found", async () => {
  await using server = await TestServer.start();
  const { observe } = await import("../../lib/doctor/observe.ts");
  const examination = {
    host: "127.0.0.1",
    port: server.port,
    mode: "explicit",
    isInsecure: true,
    triesAnonymous: false,
    mayUpload: false,
  } as const;
  const notes = await observe(examination, { timeoutMs: 5000, signal: AbortSignal.abort() });
  assertEquals(notes.look("connection"), {
    failure: "no connection to port " + server.port + " before the time for all was over",
  });
});

/**
 * Relays an implicit port, but answers those who want TLS 1.2 at most with a certificate that it has no key of: up to there
 * certificates go in clear, so that everybody has those of everybody.
 */
function showOther(port: number, shown: string): { readonly port: number } & AsyncDisposable {
  const der = Uint8Array.fromBase64(shown.replace(/-----[^-]+-----|\s/g, ""));
  const uint24 = (length: number) => [0, length >> 8, length & 0xff];
  const message = (type: number, body: readonly number[]) => [type, ...uint24(body.length), ...body];
  const hello = [3, 3, ...new Uint8Array(32), 0, 0xc0, 0x2b, 0];
  const certificates = [...uint24(der.length), ...der];
  const messages = [
    ...message(2, hello),
    ...message(11, [...uint24(certificates.length), ...certificates]),
    ...message(14, []),
  ];
  const answer = new Uint8Array([22, 3, 3, messages.length >> 8, messages.length & 0xff, ...messages]);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async (client: Deno.Conn) => {
    const buffer = new Uint8Array(65536);
    const size = await client.read(buffer) ?? 0;
    const sent = buffer.subarray(0, size);
    // The extension supported_versions.
    const hasNewer = sent.some((_, at) => sent[at] === 0 && sent[at + 1] === 0x2b && sent[at + 2] === 0);
    if (!hasNewer) {
      await client.write(answer);
      return client.close();
    }
    const server = await Deno.connect({ hostname: "127.0.0.1", port });
    await server.write(sent);
    await Promise.allSettled([client.readable.pipeTo(server.writable), server.readable.pipeTo(client.writable)]);
  };
  const serving: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const client of listener) serving.push(serve(client).catch(() => {}));
  })();
  return {
    port: listener.addr.port,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      await Promise.all(serving);
    },
  };
}

Deno.test("doctor sends no password to a server whose certificate is for another name, whatever it has shown before", async () => {
  const [own, others] = await Promise.all([
    createEphemeralCertificate({ names: ["evil.example"] }),
    createEphemeralCertificate({ names: ["127.0.0.1"] }),
  ]);
  const tls = { certificate: own.certificate, key: own.key };
  await using server = await TestServer.start({ protection: "implicit", server: { tls } });
  await using relay = showOther(server.port, others.certificate);
  const findings = await examine({
    ...{ port: relay.port, mode: "implicit", isInsecure: false, timeoutMs: 2000 },
    ca: `${own.certificate}\n${others.certificate}`,
  });
  assertMatch(findings["login"]?.finding ?? "", /^the password is not sent/);
  assertEquals(findings["certificate-name"]?.severity, "error");
});
