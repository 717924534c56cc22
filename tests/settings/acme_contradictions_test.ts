import { assertEquals } from "@std/assert";
import { problemsOf, SOMEBODY } from "./configuration_text.ts";

const ACME = "domains: ftp.example.org, storage: acme";

const CASES: readonly (readonly [what: string, text: string, problems: readonly string[]])[] = [
  ["a certificate of files", `tls: { acme: { ${ACME} }, certificate: a.crt, key: a.key }`, [
    "tls.certificate: is given beside tls.acme; leave out one of both",
    "tls.key: is given beside tls.acme; leave out one of both",
  ]],
  ["no TLS", `tls: { policy: "off", acme: { ${ACME} } }`, ["tls.acme: is given, but tls.policy is off"]],
  ["a port that something else has", `listen: [{ host: 0.0.0.0, port: 80 }]\ntls: { acme: { ${ACME} } }`, [
    "tls.acme: port 80 of the CA's questions is taken by listen[0]",
  ]],
  ["the port of metrics", `metrics: { port: 8080 }\ntls: { acme: { ${ACME}, httpPort: 8080 } }`, [
    "tls.acme.httpPort: port 8080 of the CA's questions is taken by metrics",
  ]],
  ["a passive port", `passive: { ports: 50000-50100 }\ntls: { acme: { ${ACME}, httpPort: 50001 } }`, [
    "tls.acme.httpPort: port 50001 of the CA's questions lies in passive.ports; choose another",
  ]],
  ["any port", `tls: { acme: { ${ACME}, httpPort: 0 } }`, ["tls.acme.httpPort: is 0, but the CA has to find it"]],
  ["a secret for nobody", `tls: { acme: { ${ACME}, secretFile: secret } }`, [
    "tls.acme.secretFile: is given, but state.type is memory",
  ]],
  ["nodes without a secret", `state: { type: postgres, urlFile: url }\ntls: { acme: { ${ACME} } }`, [
    "tls.acme.secretFile: is missing; give a file that all nodes have, such as of: openssl rand -hex 32",
  ]],
  ["an admin listener with that certificate", `admin: { tls: true, tokenFile: t }\ntls: { acme: { ${ACME} } }`, []],
  [
    "a loopback port beside one of another host",
    `listen: [{ host: 127.0.0.2, port: 8080 }]\n` +
    `tls: { acme: { ${ACME}, httpHost: 127.0.0.1, httpPort: 8080 } }`,
    [],
  ],
];

for (const [what, text, problems] of CASES) {
  Deno.test(`readConfiguration() says what tls.acme does to ${what}`, () => {
    assertEquals(problemsOf(`${SOMEBODY}${text}\n`).map((line) => line.replace(/^ftpsd\.yaml:\d+: /, "")), problems);
  });
}
