import { X509Certificate } from "node:crypto";
import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { NodeTlsTransport } from "../../lib/transport/node_tls.ts";
import { describeCertificate, TlsContext } from "../../lib/transport/tls_context.ts";
import { issue } from "./client_pki.ts";
import { PAIR } from "./tls_pairs.ts";

const IS_SELF_SIGNED = true;
const OTHER = await createEphemeralCertificate({ names: ["localhost"], validForDays: 7, now: new Date(0) });

Deno.test("TlsContext.info says how clients name the leaf certificate, and when it is valid", () => {
  const { fingerprint, sha1Fingerprint, publicKeyPin, validFrom, validTo } = new TlsContext(OTHER).info;
  const x509 = new X509Certificate(OTHER.certificate);
  assertEquals([fingerprint, sha1Fingerprint], [x509.fingerprint256, x509.fingerprint]);
  assertMatch(fingerprint, /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  assertMatch(sha1Fingerprint, /^(?:[0-9A-F]{2}:){19}[0-9A-F]{2}$/);
  assertMatch(publicKeyPin, /^[A-Za-z0-9+/]{43}=$/);
  assertEquals(validFrom, new Date("1969-12-31T23:00:00Z"));
  assertEquals(validTo, new Date("1970-01-08T00:00:00Z"));
});

Deno.test("describeCertificate() reports the names of a certificate, and whether it is its own issuer", async () => {
  const names = ["localhost", "*.example.org", "192.0.2.7"];
  const selfMade = describeCertificate(await createEphemeralCertificate({ names }));
  assertEquals([selfMade.names, selfMade.selfSigned], [names, IS_SELF_SIGNED]);
  const issued = describeCertificate(await issue("ftp.example.org", { issuer: await issue("CA") }));
  assertEquals([issued.names, issued.selfSigned], [[], !IS_SELF_SIGNED]);
});

Deno.test("TlsContext takes the first certificate of a chain as leaf", () => {
  const chain = { certificate: PAIR.certificate + "\n" + OTHER.certificate, key: PAIR.key };
  assertEquals(new TlsContext(chain).info.fingerprint, new TlsContext(PAIR).info.fingerprint);
});

Deno.test("TlsContext refuses a key of another certificate", () => {
  assertThrows(() => new TlsContext({ ...PAIR, key: OTHER.key }), TypeError, "not that of the certificate");
});

Deno.test("TlsContext refuses texts it cannot read, without telling the key", () => {
  const secret = PAIR.key.split("\n")[1] ?? "";
  const damaged = PAIR.key.replace(secret, secret.slice(4));
  const cases = [
    [{ ...PAIR, certificate: "" }, "no CERTIFICATE block"],
    [{ ...PAIR, certificate: PAIR.key }, "no CERTIFICATE block"],
    [{ ...PAIR, certificate: PAIR.certificate.replace(/\nMII/, "\nMIJ") }, "damaged"],
    [{ ...PAIR, key: PAIR.certificate }, "no PRIVATE KEY block"],
    [{ ...PAIR, key: damaged }, "damaged or of an unknown kind"],
    [{ ...PAIR, key: PAIR.key.replaceAll("PRIVATE", "ENCRYPTED PRIVATE") }, "encrypted"],
  ] as const;
  for (const [pair, message] of cases) {
    const error = assertThrows(() => new TlsContext(pair), TypeError, message);
    assert(!Deno.inspect(error).includes(secret.slice(8, 24)));
  }
});

Deno.test("TlsContext refuses an empty range of versions", () => {
  assertThrows(
    () => new TlsContext({ ...PAIR, minVersion: "TLSv1.3", maxVersion: "TLSv1.2" }),
    TypeError,
    `Cannot use TLS versions "TLSv1.3" to "TLSv1.2"`,
  );
});

Deno.test("TlsContext.prepare() shows another certificate from the next handshake on, and keeps the old on error", async () => {
  const context = new TlsContext(PAIR);
  const before = context.info;
  assertThrows(
    () => context.prepare({ pair: { ...OTHER, key: PAIR.key }, clientCertificates: undefined }),
    TypeError,
    "not that of the certificate",
  );
  assertEquals(context.info, before);
  const next = await createEphemeralCertificate({ names: ["localhost"] });
  const use = context.prepare({ pair: next, clientCertificates: undefined });
  assertEquals(context.info, before);
  use();
  assertEquals(context.info, new TlsContext(next).info);
  await using transport = new NodeTlsTransport(context);
  const listener = await transport.listen({ host: "127.0.0.1", port: 0 });
  const options = { hostname: "localhost", port: listener.address.port, caCerts: [next.certificate] };
  const [peer, connection] = await Promise.all([
    Deno.connectTls(options).then(async (peer) => {
      await peer.handshake();
      return peer;
    }),
    listener.accept().then((incoming) => incoming.open("send")),
  ]);
  connection.close();
  peer.close();
  listener.close();
});

Deno.test("TlsContext refuses a CA for client certificates that it cannot read", () => {
  const cases = [
    ["", "no CERTIFICATE block"],
    [PAIR.key, "no CERTIFICATE block"],
    [`${PAIR.certificate}\n${PAIR.certificate.replace(/\nMII/, "\nMIJ")}`, "CERTIFICATE block 2 of 2 (line "],
  ] as const;
  for (const [ca, message] of cases) {
    const clientCertificates = { mode: "require", ca } as const;
    assertThrows(() => new TlsContext({ ...PAIR, clientCertificates }), TypeError, message);
    const context = new TlsContext({ ...PAIR, clientCertificates: { mode: "request", ca: OTHER.certificate } });
    const before = context.handshake;
    assertThrows(() => context.prepare({ clientCertificates }), TypeError, message);
    assertStrictEquals(context.handshake, before);
  }
});

Deno.test("TlsContext.prepare() forgets no client when the CA and the mode stay", () => {
  const options = { mode: "require", ca: OTHER.certificate } as const;
  const context = new TlsContext({ ...PAIR, clientCertificates: options });
  const { clientCertificates } = context.handshake;
  context.prepare({ clientCertificates: { ...options } })();
  context.prepare({ pair: { ...PAIR }, clientCertificates: { ...options } })();
  assertStrictEquals(context.handshake.clientCertificates, clientCertificates);
  context.prepare({ clientCertificates: { ...options, mode: "request" } })();
  assert(context.handshake.clientCertificates !== clientCertificates);
  context.prepare({ clientCertificates: undefined })();
  assertEquals(context.handshake.clientCertificates, undefined);
});
