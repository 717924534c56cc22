import { formatWhere } from "../../lib/settings/finding.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { examineCertificate, findCertificateProblems, findKeyModeRisks } from "../../lib/check/certificate_findings.ts";
import { createEphemeralCertificate } from "../../lib/transport/ephemeral_certificate.ts";
import { type CertificateInfo, describeCertificate } from "../../lib/transport/tls_context.ts";
import { issue } from "../transport/client_pki.ts";

const NAMES = ["ftp.example.org", "*.files.example.org", "192.0.2.7", "2001:db8::7"];
const PAIR = await createEphemeralCertificate({
  names: NAMES,
  validForDays: 30,
  now: new Date("2026-11-01T01:00:00Z"),
});
const INFO: CertificateInfo = describeCertificate(PAIR);
const NOW = new Date("2026-11-10T00:00:00Z");

Deno.test("findCertificateProblems() judges the dates", () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ["2026-10-31T23:59:59Z", "error", /^is valid only from 2026-11-01T00:00:00Z on; .*\(now 2026-10-31T23:59:59Z\)$/],
    ["2026-11-01T00:00:00Z", "", /^$/],
    ["2026-11-17T00:59:59Z", "", /^$/],
    ["2026-11-17T01:00:00Z", "warning", /^expires on 2026-12-01T01:00:00Z; renew it$/],
    ["2026-12-01T01:00:00Z", "warning", /^expires on 2026-12-01T01:00:00Z; renew it$/],
    ["2026-12-01T01:00:01Z", "error", /^expired on 2026-12-01T01:00:00Z; renew it$/],
  ];
  for (const [now, severity, message] of cases) {
    const findings = findCertificateProblems(INFO, { now: new Date(now), listenHosts: [] });
    assertEquals(findings.map((finding) => finding.severity).join(), severity, now);
    assert(findings.every((finding) => formatWhere(finding) === "tls.certificate"));
    assertMatch(findings.map((finding) => finding.message).join(), message);
  }
});

Deno.test("findCertificateProblems() warns of a listen host that is not among the names", () => {
  const cases: readonly (readonly [string, boolean])[] = [
    ["0.0.0.0", false],
    ["::", false],
    ["0:0:0:0:0:0:0:0", false],
    ["127.0.0.1", false],
    ["127.8.9.1", false],
    ["::1", false],
    ["localhost", false],
    ["192.0.2.7", false],
    ["::ffff:192.0.2.7", false],
    ["192.0.2.70", true],
    ["2001:DB8:0::7", false],
    ["2001:db8::8", true],
    ["FTP.example.org", false],
    ["example.org", true],
    ["a.files.example.org", false],
    ["a.b.files.example.org", true],
    ["files.example.org", true],
  ];
  for (const [host, isMissing] of cases) {
    const findings = findCertificateProblems(INFO, { now: NOW, listenHosts: [host, host] });
    assertEquals(findings.map(({ severity }) => severity), isMissing ? ["warning"] : [], host);
    if (isMissing) assertMatch(findings[0]?.message ?? "", new RegExp(`^is for ftp\\..*, not for ${host}: `));
  }
});

Deno.test("findCertificateProblems() warns of a certificate without names", () => {
  const findings = findCertificateProblems({ ...INFO, names: [] }, { now: NOW, listenHosts: ["192.0.2.7"] });
  assertMatch(findings.map(({ message }) => message).join(), /^has no names, not for 192\.0\.2\.7: /);
});

Deno.test("findKeyModeRisks() finds rights that others have on the key", () => {
  const cases = [
    [undefined, 0],
    [0o100600, 0],
    [0o100640, 0],
    [0o100400, 0],
    [0o100644, 1],
    [0o100602, 1],
    [0o100601, 1],
  ] as const;
  for (const [mode, count] of cases) {
    const findings = findKeyModeRisks(mode);
    assertEquals(findings.length, count, mode?.toString(8));
    if (count === 1) assertEquals([findings[0]?.severity, findings[0]?.risk], ["risk", "key-readable-by-others"]);
  }
  assertMatch(findKeyModeRisks(0o100644)[0]?.message ?? "", /^has mode 0644, /);
});

Deno.test("findCertificateProblems() warns of a chain without its issuer", async () => {
  const authority = await issue("CA");
  const leaf = await issue("ftp.example.org", { issuer: authority });
  const chainWarnings = (certificate: string) =>
    findCertificateProblems(describeCertificate({ certificate, key: leaf.key }), { now: new Date(), listenHosts: [] })
      .filter(({ message }) => message.startsWith("has no certificate of its issuer"));
  assertEquals(chainWarnings(leaf.certificate).map(({ severity }) => severity), ["warning"]);
  assertEquals(chainWarnings(`${leaf.certificate}\n${authority.certificate}`), []);
  assertEquals(findCertificateProblems(INFO, { now: NOW, listenHosts: [] }), []);
});

Deno.test("examineCertificate() puts together what there is to say about a pair", async () => {
  const pair = { ...PAIR, keyMode: 0o100644 };
  const { info, findings } = await examineCertificate(pair, { now: new Date(0), listenHosts: ["192.0.2.1"] });
  assertEquals(info, INFO);
  assertEquals(findings.map(({ severity }) => severity), ["error", "warning", "risk"]);
});

Deno.test("examineCertificate() makes one error, at its key, of what cannot be used", async () => {
  const wrongKey = PAIR.key.replace(/.{8}(?=\n-----END)/, "AAAAAAAA");
  const cases = [
    [{ ...PAIR, certificate: "" }, "tls.certificate", /no CERTIFICATE block/],
    [{ ...PAIR, key: "" }, "tls.key", /no PRIVATE KEY block/],
    [{ ...PAIR, key: PAIR.key.replaceAll("PRIVATE", "ENCRYPTED PRIVATE") }, "tls.key", /encrypted/],
    [{ ...PAIR, key: wrongKey }, "tls.key", /damaged/],
  ] as const;
  for (const [pair, where, message] of cases) {
    const examined = await examineCertificate({ ...pair, keyMode: 0o600 }, { now: NOW, listenHosts: [] });
    assertEquals(examined.info, undefined);
    assertEquals(examined.findings.map((finding) => [finding.severity, formatWhere(finding)]), [["error", where]]);
    assertMatch(examined.findings[0]?.message ?? "", message);
    assert(!examined.findings[0]?.message.includes("\n"));
  }
});
