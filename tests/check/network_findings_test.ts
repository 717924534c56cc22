import { formatWhere } from "../../lib/settings/finding.ts";
import { assertEquals } from "@std/assert";
import { findNetworkWarnings } from "../../lib/check/network_findings.ts";
import { read, SOMEBODY } from "../settings/configuration_text.ts";

const RANGE = "ports: 50000-50099";
const NO_RANGE = "is not given: any port is used, and no firewall can let through just those; give a range";
const PRIVATE = "is private: clients from outside, as on";

/** A configuration and what is doubtful about it, as `where: message`. */
const CASES: readonly (readonly [text: string, ...expected: readonly string[]])[] = [
  [""],
  [`passive: { ${RANGE} }`],
  [`listen: [{ host: 0.0.0.0 }]\npassive: { ${RANGE}, address: 203.0.113.7 }`],

  // No range: only where clients come from elsewhere.
  ["listen: [{ host: 127.0.0.2 }, { host: '::1' }]"],
  ["listen: [{ host: 127.0.0.1 }, { host: 192.168.1.5 }]", `passive.ports: ${NO_RANGE}`],
  ["listen: [{ host: '::' }]", `passive.ports: ${NO_RANGE}`],

  // What PASV announces.
  [
    `listen: [{ host: 203.0.113.7 }]\npassive: { ${RANGE}, address: 192.168.1.5 }`,
    `passive.address: 192.168.1.5 ${PRIVATE} 203.0.113.7, cannot reach it`,
  ],
  ...["0.0.0.0", "::"].map((host) =>
    [
      `listen: [{ host: '${host}' }]\npassive: { ${RANGE}, address: 10.1.2.3 }`,
      `passive.address: 10.1.2.3 ${PRIVATE} ${host}, cannot reach it`,
    ] as const
  ),
  [`listen: [{ host: 192.168.1.5 }, { host: '2001:db8::1' }]\npassive: { ${RANGE}, address: 192.168.1.5 }`],
  [`passive: { ${RANGE}, address: 127.0.0.1 }`],
  ...["10.0.0.1", "172.16.0.1", "172.31.255.1", "100.64.0.1", "100.127.0.1", "169.254.1.1", "127.0.0.1", "0.1.2.3"].map(
    (address) =>
      [
        `listen: [{ host: 203.0.113.7 }]\npassive: { ${RANGE}, address: ${address} }`,
        `passive.address: ${address} ${PRIVATE} 203.0.113.7, cannot reach it`,
      ] as const,
  ),
  ...["172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.169.0.1", "11.0.0.1"].map((address) =>
    [`listen: [{ host: 203.0.113.7 }]\npassive: { ${RANGE}, address: ${address} }`] as const
  ),
  [
    `passive: { ${RANGE}, addresses: { 203.0.113.7: 10.0.0.5, 10.0.0.6: 203.0.113.7, 10.0.0.7: 10.0.0.8, '::1': 10.0.0.9 } }`,
    'passive.addresses["203.0.113.7"]: 10.0.0.5 is private, but 203.0.113.7 is public',
  ],

  // Which ports.
  [
    "passive: { ports: 5000-5100 }",
    "passive.ports: has 5060, 5061, which routers take for SIP or IRC; choose others",
  ],
  ["passive: { ports: 6600-6700 }", "passive.ports: has 6667, which routers take for SIP or IRC; choose others"],

  [
    "passive: { ports: 50000-50100, announced: 5000-5100 }",
    "passive.announced: has 5060, 5061, which routers take for SIP or IRC; choose others",
  ],

  // Balancers.
  [`listen: [{ host: 127.0.0.1, proxyProtocol: [127.0.0.1, 10.0.0.0/8] }]\npassive: { ${RANGE} }`],
  ["listen: [{ host: 127.0.0.1, proxyProtocol: [127.0.0.1] }]", `passive.ports: ${NO_RANGE}`],
  ...[["127.0.0.1", "10.0.0.0/8"], ["0.0.0.0", "'2001:db8::/32'"], ["'::1'", "127.0.0.1"], ["10.0.0.5", "'::1'"]].map(
    ([host = "", network]) =>
      [
        `listen: [{ host: ${host}, proxyProtocol: [${network}] }]\npassive: { ${RANGE} }`,
        `listen[0].proxyProtocol: lists no address that can connect to ${
          host.replaceAll("'", "")
        }: everybody is refused`,
      ] as const,
  ),
  ...["'::'", "0.0.0.0", "10.0.0.5"].map((host) =>
    [`listen: [{ host: ${host}, proxyProtocol: [10.0.0.0/8] }]\npassive: { ${RANGE} }`] as const
  ),
  [
    `listen: [{ host: 0.0.0.0, proxyProtocol: [10.0.0.0/8] }]\npassive: { ${RANGE} }\nactive: { enabled: true }`,
    "active.enabled: the server dials clients of listen[0] by itself, past the balancer: many take no connection from " +
    "another address; let them use passive mode",
  ],

  // How many.
  [
    "passive: { ports: 50000-50098 }",
    "passive.ports: has 99 ports for up to 512 connections; when all are in use, transfers fail (425)",
  ],
  ["passive: { ports: 50000-50019 }\nlimits: { connections: 10 }"],
  [
    "passive: { ports: 50000-50018 }\nlimits: { connections: 10 }",
    "passive.ports: has 19 ports for up to 10 connections; when all are in use, transfers fail (425)",
  ],
  [
    "passive: { ports: 50000-50018 }\nlimits: { connections: 0 }",
    "passive.ports: has 19 ports for any number of connections; when all are in use, transfers fail (425)",
  ],
];

for (const [text, ...expected] of CASES) {
  Deno.test(`findNetworkWarnings() finds ${expected.length} in ${JSON.stringify(text)}`, () => {
    const findings = findNetworkWarnings(read(`${SOMEBODY}${text}\n`));
    assertEquals(findings.map((finding) => `${formatWhere(finding)}: ${finding.message}`), [...expected]);
    assertEquals(findings.filter(({ severity }) => severity !== "warning"), []);
  });
}

Deno.test("findNetworkWarnings() reports whom require locks out, where TLS 1.2 is spoken", () => {
  const find = (tls: string) => findNetworkWarnings(read(`tls: { ${tls} }\n${SOMEBODY}`)).map(formatWhere);
  assertEquals(find("sessionReuse: allow"), []);
  assertEquals(find("sessionReuse: require, minVersion: TLSv1.3"), []);
  assertEquals(find("sessionReuse: require"), ["tls.sessionReuse"]);
});

Deno.test("findNetworkWarnings() says that event loops asked for do not serve", () => {
  const find = (workers: string) =>
    findNetworkWarnings(
      read(`tls: { sessionReuse: require, minVersion: TLSv1.3 }\nworkers: ${workers}\n${SOMEBODY}`),
    ).map(formatWhere);
  assertEquals([find("2"), find("1"), find("auto")], [["workers"], [], []]);
});
