import { X509Certificate } from "node:crypto";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { listenControl } from "../../lib/transport/node_control.ts";
import { TlsContext } from "../../lib/transport/tls_context.ts";
import { programTest } from "../helpers/client_program.ts";

const NAMES = ["localhost", "127.0.0.1", "::1"];

Deno.test("createEphemeralCertificate() names DNS names and addresses, and is no CA", async () => {
  const { certificate, key } = await createEphemeralCertificate({ names: NAMES });
  const x509 = new X509Certificate(certificate);
  assert(!x509.ca);
  assertMatch(x509.subjectAltName ?? "", /^DNS:localhost, IP Address:127\.0\.0\.1, IP Address:[0:]*1$/);
  assertMatch(x509.subject, /CN=localhost/);
  assertMatch(key, /^-----BEGIN PRIVATE KEY-----/);
  assertEquals(new TlsContext({ certificate, key }).info.fingerprint, x509.fingerprint256);
});

Deno.test("createEphemeralCertificate() is valid from an hour before now for the given days", async () => {
  const now = new Date("2026-11-22T10:00:00Z");
  const { certificate } = await createEphemeralCertificate({ names: ["a.example"], validForDays: 3, now });
  const x509 = new X509Certificate(certificate);
  assertEquals(new Date(x509.validFrom).toISOString(), "2026-11-22T09:00:00.000Z");
  assertEquals(new Date(x509.validTo).toISOString(), "2026-11-25T10:00:00.000Z");
});

Deno.test("createEphemeralCertificate() makes another key and serial number each time", async () => {
  const [first, second] = await Promise.all([0, 1].map(() => createEphemeralCertificate({ names: NAMES })));
  assert(first !== undefined && second !== undefined);
  assert(first.key !== second.key);
  assert(new X509Certificate(first.certificate).serialNumber !== new X509Certificate(second.certificate).serialNumber);
});

Deno.test("createEphemeralCertificate() refuses an empty list of names", async () => {
  await assertRejects(() => createEphemeralCertificate({ names: [] }), TypeError, "no names");
});

Deno.test(programTest({
  program: "openssl",
  name: "createEphemeralCertificate() is accepted by openssl as its own trust anchor, by name and by address",
  fn: async () => {
    for (const check of [["-verify_hostname", "localhost"], ["-verify_ip", "127.0.0.1"]]) {
      const output = await runAgainstServer(
        "openssl",
        (
          address,
          anchor,
        ) => ["s_client", "-connect", address, "-CAfile", anchor, "-verify_return_error", "-brief", ...check],
      );
      assertMatch(output, /Verification: OK/);
    }
  },
}));

Deno.test(programTest({
  program: "openssl",
  name: "createEphemeralCertificate() is refused by openssl for another name",
  fn: async () => {
    const output = await runAgainstServer(
      "openssl",
      (
        address,
        anchor,
      ) => [
        "s_client",
        "-connect",
        address,
        "-CAfile",
        anchor,
        "-verify_return_error",
        "-verify_hostname",
        "other.example",
      ],
    );
    assertMatch(output, /hostname mismatch/i);
  },
}));

Deno.test(programTest({
  program: "curl",
  name: "createEphemeralCertificate() is accepted by curl as its own trust anchor",
  fn: async () => {
    for (const host of ["localhost", "127.0.0.1"]) {
      const output = await runAgainstServer(
        "curl",
        (address, anchor) => ["-4", "-v", "--cacert", anchor, `ftps://${address.replace("127.0.0.1", host)}/`],
      );
      assertMatch(output, /SSL certificate verify ok/);
    }
  },
}));

/** Runs a client against an implicit TLS listener that says good-bye at once; returns what it printed. */
async function runAgainstServer(
  program: string,
  args: (address: string, anchorFile: string) => string[],
): Promise<string> {
  const pair = await createEphemeralCertificate({ names: NAMES });
  const anchorFile = await Deno.makeTempFile({ suffix: ".pem" });
  await Deno.writeTextFile(anchorFile, pair.certificate);
  const listener = await listenControl({ host: "127.0.0.1", port: 0 }, { context: new TlsContext(pair) });
  const served = listener.accept().then(async (accepted) => {
    const connection = await accepted.startTls().catch(() => undefined); // The client may refuse
    await connection?.write(new TextEncoder().encode("421 Bye\r\n")).catch(() => {});
    await connection?.finish().catch(() => {});
    await connection?.read().catch(() => {});
    connection?.close();
  });
  const { stdout, stderr } = await new Deno.Command(program, {
    args: args(`127.0.0.1:${listener.address.port}`, anchorFile),
    stdin: "null",
  }).output();
  await served;
  listener.close();
  await Deno.remove(anchorFile);
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}
