import { X509Certificate } from "node:crypto";
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { readPair } from "../../lib/transport/certificate_pair.ts";
import { describeCertificate, TlsContext } from "../../lib/transport/tls_context.ts";
import { tryHandshake } from "../../lib/transport/trial_handshake.ts";
import { programTest } from "../helpers/client_program.ts";
import { runProgram } from "../helpers/run_program.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { issue } from "./client_pki.ts";
import { PAIR } from "./tls_pairs.ts";

const PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
const { certificate, key } = PAIR;

Deno.test("readPair() takes a key and a chain from one text, in any order, among other blocks and words", async () => {
  const texts = [
    `${key}\n${certificate}`,
    `${certificate}\n${key}`,
    `\uFEFF${key}\n${certificate}`,
    `${PARAMETERS}${key}\n${certificate}`,
    `# not ENCRYPTED\n${key}\nsubject=CN = ENCRYPTED\n${certificate}\ntrailing words\n`,
    `${key}\n${certificate}`.replaceAll("\n", "\r\n"),
  ];
  for (const text of texts) {
    const read = readPair({ certificate: text, key: text });
    assertEquals(read.chain.map(({ fingerprint256 }) => fingerprint256), [describeCertificate(PAIR).fingerprint], text);
    await tryHandshake({ certificate: text, key: text });
  }
});

Deno.test("readPair() names the block that it cannot read, and its line, without quoting the key", () => {
  const lines = certificate.trimEnd().split("\n").length;
  const cut = certificate.slice(0, certificate.length / 2);
  const secret = key.split("\n")[1] ?? "";
  const second = (text: string) => ({ certificate: `${certificate.trimEnd()}\n${text}`, key });
  const cases = [
    [second(cut), `CERTIFICATE block 2 of 2 (line ${lines + 1}) is damaged or cut off`],
    [second(certificate.replace(/\nMII/, "\nMIJ")), `CERTIFICATE block 2 of 2 (line ${lines + 1}) is damaged`],
    [second(withBytesBehind(certificate)), `CERTIFICATE block 2 of 2 (line ${lines + 1}) is damaged`],
    [{ certificate: withBytesBehind(certificate), key }, "CERTIFICATE block 1 of 1 (line 1) is damaged"],
    [{ certificate: `\n${cut}`, key }, "CERTIFICATE block 1 of 1 (line 2) is damaged or cut off"],
    [{ certificate, key: `${PARAMETERS}${key.replace("-----END", "----END")}` }, "(line 4) is damaged or cut off"],
    [
      { certificate, key: key.replaceAll("PRIVATE", "ENCRYPTED PRIVATE") },
      "ENCRYPTED PRIVATE KEY block (line 1) is encrypted",
    ],
    [{ certificate, key: key.replace("-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: A,00\n\n") }, "is encrypted"],
    [{ certificate, key: `${key}\n${key}` }, "there are 2 PRIVATE KEY blocks (lines 1, "],
    [{ certificate, key: certificate }, "no PRIVATE KEY block"],
  ] as const;
  for (const [pair, message] of cases) {
    const error = assertThrows(() => readPair(pair), TypeError, message);
    assert(!Deno.inspect(error).includes(secret.slice(8, 24)), message);
  }
});

Deno.test("readPair() says which certificate the key is of when it is not the first", async () => {
  const authority = await issue("CA");
  const leaf = await issue("ftp.example.org", { issuer: authority });
  const swapped = { certificate: `${authority.certificate}\n${leaf.certificate}`, key: leaf.key };
  assertThrows(() => readPair(swapped), TypeError, "it is that of CERTIFICATE block 2, which has to come first");
});

Deno.test("tryHandshake() makes a handshake under every version", async () => {
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    await tryHandshake(PAIR, { minVersion: version, maxVersion: version });
  }
});

const USABLE = [
  "rsa:2048",
  "rsa:4096",
  "rsa:4160", // more than the runtime can describe by the certificate alone
  "ec:prime256v1",
  "ec:secp384r1",
  "ec:secp521r1",
  "ed25519",
] as const;
const UNUSABLE = [
  ["rsa:1024", "RSA of 1024 bits"],
  ["rsa-pss:2048", "a key of type rsa-pss"],
  ["ec:secp256k1", "ECDSA on secp256k1"],
  ["ec:secp224r1", "ECDSA on secp224r1"],
  ["ed448", "a key of type ed448"],
] as const;

for (const kind of USABLE) {
  Deno.test(programTest({
    program: "openssl",
    name: `tryHandshake() shows that a certificate of ${kind} can be used`,
    fn: async () => {
      const pair = await createPair(kind);
      await tryHandshake(pair);
      assertEquals(new TlsContext(pair).info.fingerprint, new X509Certificate(pair.certificate).fingerprint256);
    },
  }));
}

for (const [kind, reason] of UNUSABLE) {
  Deno.test(programTest({
    program: "openssl",
    name: `readPair() and TlsContext refuse ${kind}, with which no handshake comes about`,
    fn: async () => {
      const pair = await createPair(kind);
      const message = `${reason} cannot be used for TLS`;
      assertStringIncludes((await assertRejects(() => tryHandshake(pair), TypeError)).message, message);
      const context = new TlsContext(PAIR);
      const before = context.handshake;
      assertThrows(() => context.prepare({ pair, clientCertificates: undefined }), TypeError, message);
      assertEquals(context.handshake, before);
    },
  }));
}

/** A certificate whose DER has bytes behind its end, which many parsers take. */
function withBytesBehind(pem: string): string {
  const der = new X509Certificate(pem).raw;
  const base64 = new Uint8Array([...der, 1, 2, 3]).toBase64();
  return `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
}

async function createPair(kind: string): Promise<{ readonly certificate: string; readonly key: string }> {
  await using folder = await TemporaryFolder.create();
  const [algorithm = "", detail = ""] = kind.split(":");
  const options = algorithm === "ec" ? [`ec_paramgen_curve:${detail}`] : detail ? [`rsa_keygen_bits:${detail}`] : [];
  const [certificateFile, keyFile] = [`${folder.path}/a.crt`, `${folder.path}/a.key`];
  const { code, stderr } = await runProgram("openssl", [
    ...["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-newkey", algorithm],
    ...options.flatMap((option) => ["-pkeyopt", option]),
    ...["-keyout", keyFile, "-out", certificateFile],
  ], { deadlineMs: 120_000 });
  assertEquals(code, 0, stderr);
  return { certificate: await Deno.readTextFile(certificateFile), key: await Deno.readTextFile(keyFile) };
}
