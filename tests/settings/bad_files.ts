/**
 * Configuration files that are refused.
 *
 * @module
 */

import { CONFIGURATION } from "../../lib/settings/table.ts";
import { structureOf } from "../../lib/settings/unknown_keys.ts";
import { SOMEBODY } from "./configuration_text.ts";

/** A file that cannot be used, and the lines that say why; `*` in them stands for words of the parser. */
export type BadFile = readonly [name: string, text: string, ...problems: readonly string[]];

const USER = "  - { name: alice, password: secret, home: /srv }\n";
const KNOWN = `known are ${Object.keys(structureOf(CONFIGURATION).entries ?? {}).join(", ")}`;
const LOGIN_MISSING = "ftpsd.yaml: nobody can log in; give users or anonymous";

/** Files that no server starts with. */
export const BAD_FILES: readonly BadFile[] = [
  ["is empty", "", LOGIN_MISSING],
  ["has only a comment", "# nothing yet\n", LOGIN_MISSING],
  ["has only null", "~\n", LOGIN_MISSING],
  ["has nobody who can log in", "users: []\n", LOGIN_MISSING],
  ["is a list", "- listen\n- tls\n", "ftpsd.yaml: a list is not a mapping"],
  ["is a text", "anonymous\n", 'ftpsd.yaml: "anonymous" is not a mapping'],
  ["is a number", "2121\n", "ftpsd.yaml: 2121 is not a mapping"],
  ["is another format", '[listen]\nport = 21\n\n[tls]\npolicy = "off"\n', "ftpsd.yaml:2: not YAML: *"],
  ["has users with nothing in it", "users:\n", "ftpsd.yaml:1: users: has no value; give a list"],
  ["has a user with nothing in it", `users:\n${USER}  -\n`, "ftpsd.yaml:3: users[1]: has no value; give a mapping"],
  ["has a user in one text", "users:\n  - alice:hunter2\n", "ftpsd.yaml:2: users[0]: the value is not a mapping"],
  ["has users in one text", "users: alice:hunter2\n", "ftpsd.yaml:1: users: the value is not a list"],
  [
    "has a mapping of users",
    "users:\n  alice:\n    home: /srv\n",
    "ftpsd.yaml:1: users: a mapping is not a list",
  ],
  [
    "has a user without anything that is needed",
    "users:\n  - permissions: elr\n",
    "ftpsd.yaml:2: users[0].name: is missing; give a user name",
    "ftpsd.yaml:2: users[0].password: is missing; give a password hash; make one with: ftpsd hash-password",
    "ftpsd.yaml:2: users[0].home: is missing; give a folder, or { store: NAME, path: /folder }",
  ],
  [
    "has a null password",
    "users:\n  - name: alice\n    password:\n    home: /srv\n",
    "ftpsd.yaml:3: users[0].password: has no value; give a password hash; make one with: ftpsd hash-password",
  ],
  [
    "has a password that is no text",
    "users:\n  - name: alice\n    password: 83619\n    home: /srv\n",
    "ftpsd.yaml:3: users[0].password: the value is not a password hash; make one with: ftpsd hash-password",
  ],
  [
    "has a password that YAML takes for an alias",
    "users:\n  - name: alice\n    password: *hunter2\n    home: /srv\n",
    "ftpsd.yaml:3: not YAML: an alias of nothing; put text that begins with * in quotes",
  ],
  [
    "has a password that YAML takes for a tag",
    "users:\n  - name: alice\n    password: !hunter2\n    home: /srv\n",
    "ftpsd.yaml:*: not YAML: an unknown tag; put text that begins with ! in quotes",
  ],
  [
    "has a password that YAML takes for a tag of a library",
    "users:\n  - name: alice\n    password: !hunter2!x y\n    home: /srv\n",
    "ftpsd.yaml:3: not YAML: *",
  ],
  [
    "has a user name with a line break",
    'users:\n  - { name: "al\\nice", password: x, home: /srv }\n',
    'ftpsd.yaml:2: users[0].name: "al…" is not a user name without control characters',
  ],
  [
    "has the same user twice",
    `users:\n${USER}  - name: alice\n    password: x\n    home: /srv\n`,
    'ftpsd.yaml:3: users[1].name: user "alice" is given twice',
  ],
  [
    "has anonymous among the users",
    "users:\n  - name: anonymous\n    password: x\n    home: /srv\n",
    "ftpsd.yaml:2: users[0].name: is anonymous; use the key anonymous for that account",
  ],
  [
    "has unknown permission letters",
    "users:\n  - { name: alice, password: x, home: /srv }\n  - name: bob\n    password: x\n    home: /srv\n" +
    "    permissions: elrx\n",
    'ftpsd.yaml:6: users[1].permissions: unknown letter "x"; use letters of elradfmwMT',
  ],
  [
    "has an override with unknown letters",
    "anonymous:\n  home: pub\n  overrides:\n    - path: /in\n      permissions: rw-\n",
    'ftpsd.yaml:5: anonymous.overrides[0].permissions: unknown letter "-"; use letters of elradfmwMT',
  ],
  [
    "has an override that leads out",
    "anonymous:\n  home: pub\n  overrides: [{ path: /../etc, permissions: r }]\n",
    'ftpsd.yaml:3: anonymous.overrides[0].path: "/../etc" is not a path of the account such as /incoming, ' +
    "without . and ..",
  ],
  [
    "mounts at a path twice",
    "anonymous:\n  home: pub\n  mounts:\n    - { path: /in, home: a }\n    - { path: /in, home: b }\n",
    'ftpsd.yaml:5: anonymous.mounts[1].path: "/in" is given twice',
  ],
  [
    "mounts a store that there is not",
    "anonymous:\n  home: pub\n  mounts:\n    - { path: /in, home: { store: far, path: / } }\n",
    'ftpsd.yaml:4: anonymous.mounts[0].home.store: "far" is not one of stores; there are none',
  ],
  [
    "gives rights beside a drop box",
    "users:\n  - name: alice\n    password: secret\n    home: /srv\n    permissions: elw\n    overrides: []\n" +
    "    dropBox: true\n    mounts: [{ path: /in, home: a, permissions: w }]\n",
    "ftpsd.yaml:5: users[0].permissions: is given, but dropBox decides what the account may do",
    "ftpsd.yaml:6: users[0].overrides: is given, but dropBox decides what the account may do",
    "ftpsd.yaml:8: users[0].mounts[0].permissions: is given, but dropBox decides what the account may do",
  ],
  [
    "hides paths, and too much",
    `anonymous:\n  home: pub\n  hide: [a/b, "", ${"x".repeat(256)}]\n  deny: [${"a, ".repeat(100)}a]\n`,
    'ftpsd.yaml:3: anonymous.hide[0]: "a/b" is not a pattern of names such as *.exe, without /',
    'ftpsd.yaml:3: anonymous.hide[1]: "" is not a pattern of names such as *.exe, without /',
    "ftpsd.yaml:3: anonymous.hide[2]: has more than 255 characters",
    "ftpsd.yaml:4: anonymous.deny: has more than 100 entries",
  ],
  [
    "overrides a path twice",
    "anonymous:\n  home: pub\n  overrides:\n    - { path: /in, permissions: l }\n    - { path: /in, permissions: r }\n",
    'ftpsd.yaml:5: anonymous.overrides[1].path: "/in" is given twice',
  ],
  [
    "has a home in a store that there is not",
    "anonymous:\n  home: { store: files, path: / }\n",
    'ftpsd.yaml:2: anonymous.home.store: "files" is not one of stores; there are none',
  ],
  [
    "has a home in a store by another name",
    "stores:\n  near: { type: s3, endpoint: 'https://s3.example.org', bucket: files, accessKeyFile: id, secretKeyFile: secret }\n" +
    "anonymous:\n  home: { store: files, path: / }\n",
    'ftpsd.yaml:4: anonymous.home.store: "files" is not one of stores; known are near',
  ],
  [
    "has a home that is half a store",
    "anonymous:\n  home: { store: files }\n",
    "ftpsd.yaml:2: anonymous.home: a mapping is not a folder, or { store: NAME, path: /folder }",
  ],
  [
    "has a key in a store that there is not, and a name that is none",
    `${SOMEBODY}stores:\n  a b:\n    { type: s3, endpiont: 'https://s3.example.org', bucket: files, accessKeyFile: id, secretKeyFile: s }\n`,
    'ftpsd.yaml:3: stores["a b"]: "a b" is not a name of letters, digits and -',
    'ftpsd.yaml:3: stores["a b"].endpoint: is missing; give the address of a service such as https://s3.example.org',
    'ftpsd.yaml:4: stores["a b"].endpiont: unknown key; did you mean endpoint?',
  ],
  ["gives a key twice", `banner: a\n${SOMEBODY}banner: b\n`, "ftpsd.yaml:3: not YAML: a key is given twice"],
  [
    "gives a key twice in flow style",
    "anonymous: { home: a, home: b }\n",
    "ftpsd.yaml:1: not YAML: a key is given twice",
  ],
  ["has a second document", `${SOMEBODY}---\n${SOMEBODY}`, "ftpsd.yaml:2: not YAML: a second document"],
  [
    "indents with tabs",
    "anonymous:\n\thome: pub\n",
    "ftpsd.yaml:2: not YAML: a tab at the start of a line; indent with spaces",
  ],
  [
    "indents with a space and a tab",
    `${SOMEBODY}\n\ntls:\n \tpolicy: off\n`,
    "ftpsd.yaml:5: not YAML: a tab at the start of a line; indent with spaces",
  ],
  ["is indented unevenly", "anonymous:\n  home: pub\n permissions: el\n", "ftpsd.yaml:3: not YAML: *"],
  ["has an open bracket", `${SOMEBODY}listen: [{ port: 21 }\n`, "ftpsd.yaml:2: not YAML: *"],
  ["has an open quote", `${SOMEBODY}banner: "hello\n\n`, "ftpsd.yaml:2: not YAML: *"],
  ["has a colon too many", `${SOMEBODY}banner: a: b\n`, "ftpsd.yaml:2: not YAML: *"],
  ["begins a value with @", `${SOMEBODY}banner: @home\n`, "ftpsd.yaml:2: not YAML: *"],
  ["has a NUL", `${SOMEBODY}banner: a\0b\n`, "ftpsd.yaml:2: not YAML: *"],
  ["has control characters", `${SOMEBODY}banner: a\x07b\n`, "ftpsd.yaml:2: not YAML: *"],
  ["has a tag of a type that is not read", `${SOMEBODY}banner: !!binary aGk=\n`, "ftpsd.yaml:*: not YAML: *"],
  [
    "has keys of all objects",
    "__proto__: {}\nconstructor: 1\n",
    ...["__proto__", "constructor"].map((key, index) => `ftpsd.yaml:${index + 1}: ${key}: unknown key; ${KNOWN}`),
  ],
  [
    "has keys of all objects in a table",
    `${SOMEBODY}passive:\n  addresses:\n    __proto__: 1.2.3.4\n    constructor: 1.2.3.4\n`,
    "ftpsd.yaml:4: passive.addresses.__proto__: unknown key",
    "ftpsd.yaml:5: passive.addresses.constructor: unknown key",
  ],
  ["has a number as key", `${SOMEBODY}21: listen\n`, `ftpsd.yaml:2: 21: unknown key; ${KNOWN}`],
  ["has a list as key", `${SOMEBODY}? [a, b]\n: 1\n`, `ftpsd.yaml: ["a,b"]: unknown key; ${KNOWN}`],
  ["has a mapping as key", `${SOMEBODY}? { a: b }\n: 1\n`, `ftpsd.yaml: ["[object Object]"]: unknown key; ${KNOWN}`],
  ["has a key with line breaks", `${SOMEBODY}"a\\nb": 1\n`, `ftpsd.yaml: ["a\\nb"]: unknown key; ${KNOWN}`],
  [
    "has a very long key",
    `${SOMEBODY}? ${"k".repeat(5000)}\n: 1\n`,
    `ftpsd.yaml: ["${"k".repeat(57)}…"]: unknown key; ${KNOWN}`,
  ],
  [
    "has a very long value",
    `${SOMEBODY}times: ${"v".repeat(100_000)}\n`,
    `ftpsd.yaml:2: times: "${"v".repeat(56)}… is not one of utc, local`,
  ],
  [
    "merges mappings",
    "users:\n  - &alice { name: alice, password: x, home: /srv }\n  - <<: *alice\n    name: bob\n",
    'ftpsd.yaml:3: users[1]["<<"]: unknown key; mappings are not merged, so write out the keys',
    "ftpsd.yaml:3: users[1].password: is missing; give a password hash; make one with: ftpsd hash-password",
    "ftpsd.yaml:3: users[1].home: is missing; give a folder, or { store: NAME, path: /folder }",
  ],
  [
    "has a time that is no number",
    `${SOMEBODY}timeouts: { idle: .nan }\n`,
    "ftpsd.yaml:2: timeouts.idle: NaN is not a number of seconds, 0 to 2147482",
  ],
  [
    "has a time without end",
    `${SOMEBODY}timeouts: { idle: .inf }\n`,
    "ftpsd.yaml:2: timeouts.idle: Infinity is not a number of seconds, 0 to 2147482",
  ],
  [
    "has a time that no timer can wait",
    `${SOMEBODY}timeouts: { idle: 2147483 }\n`,
    "ftpsd.yaml:2: timeouts.idle: 2147483 is not a number of seconds, 0 to 2147482",
  ],
  [
    "has a date for a banner",
    `${SOMEBODY}tls: { policy: 2027-01-31 }\n`,
    'ftpsd.yaml:2: tls.policy: "2027-01-31" is not one of required, control, optional, off',
  ],
  [
    "has a time with the day",
    `${SOMEBODY}acceptRisks: [{ risk: no-close-notify, reason: x, until: 2027-01-31T10:00:00Z }]\n`,
    'ftpsd.yaml:2: acceptRisks[0].until: "2027-01-31T10:00:00Z" is not a day such as 2027-01-31',
  ],
  [
    "has a fraction of a port",
    `${SOMEBODY}listen: [{ port: 21.5 }]\n`,
    "ftpsd.yaml:2: listen[0].port: 21.5 is not a port, 0 to 65535",
  ],
  [
    "has a port in quotes",
    `${SOMEBODY}listen: [{ port: "21" }]\n`,
    'ftpsd.yaml:2: listen[0].port: "21" is not a port, 0 to 65535',
  ],
  [
    "has a size beyond what can be counted",
    `${SOMEBODY}transfer: { bandwidth: { upload: 9000TiB } }\n`,
    'ftpsd.yaml:2: transfer.bandwidth.upload: "9000TiB" is not a size: bytes, or a number with KiB, MiB or GiB as 10MiB',
  ],
  [
    "has a fraction of bytes",
    `${SOMEBODY}transfer:\n  bandwidth:\n    upload: 1.5\n    download: 1e300\n`,
    "ftpsd.yaml:4: transfer.bandwidth.upload: 1.5 is not a size: bytes, or a number with KiB, MiB or GiB as 10MiB",
    "ftpsd.yaml:5: transfer.bandwidth.download: 1e+300 is not a size: bytes, or a number with KiB, MiB or GiB as 10MiB",
  ],
  [
    "has part of a byte",
    `${SOMEBODY}transfer: { bandwidth: { upload: 0.3KiB } }\n`,
    'ftpsd.yaml:2: transfer.bandwidth.upload: "0.3KiB" is not a size: bytes, or a number with KiB, MiB or GiB as 10MiB',
  ],
  ["listens nowhere", `${SOMEBODY}listen: []\n`, "ftpsd.yaml:2: listen: has no entry; give at least one address"],
  [
    "listens twice on an address",
    `${SOMEBODY}listen:\n  - { host: "::1" }\n  - { host: "0:0::1", port: 2121 }\n  - { host: "::1", port: 0 }\n` +
    `  - { host: "::1", port: 0 }\n`,
    "ftpsd.yaml:4: listen[1]: 0:0::1 port 2121 is taken by listen[0]",
  ],
  [
    "listens on all addresses and one of them",
    `${SOMEBODY}listen:\n  - { host: 0.0.0.0, port: 21 }\n  - { host: 10.0.0.1, port: 21 }\n  - { host: "::1", port: 21 }\n` +
    "  - { host: 0.0.0.0, port: 990 }\n  - { host: '::', port: 990 }\n",
    "ftpsd.yaml:4: listen[1]: 10.0.0.1 port 21 is taken by listen[0]",
    "ftpsd.yaml:7: listen[4]: :: port 990 is taken by listen[3]",
  ],
  [
    "listens in the passive range",
    `${SOMEBODY}listen:\n  - port: 50000\n  - port: 21\npassive: { ports: 50000-50100 }\n`,
    "ftpsd.yaml:3: listen[0].port: port 50000 is listened on, and lies in passive.ports; choose another",
  ],
  [
    "has the default port in the passive range",
    `${SOMEBODY}passive:\n  ports: 2000-3000\n`,
    "ftpsd.yaml:3: passive.ports: port 2121 is listened on, and lies in passive.ports; choose another",
  ],
  [
    "announces what is neither an address nor a name",
    `${SOMEBODY}passive: { address: ftp_example }\n`,
    'ftpsd.yaml:2: passive.address: "ftp_example" is not a numeric IPv4 address of a host, or its name such as ftp.example.org',
  ],
  [
    "announces half of an address, which is no name",
    `${SOMEBODY}passive: { address: 203.0.113 }\n`,
    'ftpsd.yaml:2: passive.address: "203.0.113" is not a numeric IPv4 address of a host, or its name such as ftp.example.org',
  ],
  [
    "announces ports that stand for none",
    `${SOMEBODY}passive: { announced: 60000-60099 }\n`,
    "ftpsd.yaml:2: passive.announced: has no ports to stand for; give passive.ports too",
  ],
  [
    "announces fewer ports than there are",
    `${SOMEBODY}passive: { ports: 50000-50099, announced: 60000-60098 }\n`,
    "ftpsd.yaml:2: passive.announced: has 99 ports, but passive.ports has 100; each stands for one",
  ],
  [
    "trusts balancers by name, by half a network, and none",
    `${SOMEBODY}listen:\n  - { port: 1, proxyProtocol: [lan] }\n  - { port: 2, proxyProtocol: [10.0.0.5/8] }\n` +
    "  - { port: 3, proxyProtocol: [] }\n  - { port: 4, proxyProtocol: 10.0.0.5 }\n",
    'ftpsd.yaml:3: listen[0].proxyProtocol[0]: "lan" is not a numeric address, or a network such as 10.0.0.0/8',
    'ftpsd.yaml:4: listen[1].proxyProtocol[0]: "10.0.0.5/8" is not a numeric address, or a network such as 10.0.0.0/8',
    "ftpsd.yaml:5: listen[2].proxyProtocol: has no entry; give the addresses of the balancers",
    'ftpsd.yaml:6: listen[3].proxyProtocol: "10.0.0.5" is not a list of addresses and networks',
  ],
  [
    "has names in the table of addresses",
    `${SOMEBODY}passive:\n  addresses:\n    lan: 203.0.113.7\n    10.0.0.5: 0.0.0.0\n`,
    'ftpsd.yaml:4: passive.addresses.lan: "lan" is not a numeric IPv4 or IPv6 address',
    'ftpsd.yaml:5: passive.addresses["10.0.0.5"]: "0.0.0.0" is not a numeric IPv4 address of a host',
  ],
  [
    "has a certificate without its key",
    `${SOMEBODY}tls:\n  certificate: server.crt\n`,
    "ftpsd.yaml:3: tls.certificate: has no key; give tls.key too",
  ],
  [
    "has a key without its certificate",
    `${SOMEBODY}tls:\n  key: server.key\n`,
    "ftpsd.yaml:3: tls.key: has no certificate; give tls.certificate too",
  ],
  [
    "has TLS versions the wrong way round",
    `${SOMEBODY}tls: { minVersion: TLSv1.3, maxVersion: TLSv1.2 }\n`,
    "ftpsd.yaml:2: tls.minVersion: is newer than tls.maxVersion",
  ],
  [
    "wants client certificates of nobody",
    `${SOMEBODY}tls:\n  clientCertificates:\n    mode: require\n`,
    "ftpsd.yaml:4: tls.clientCertificates.mode: is require, but ca names nobody who signs them",
  ],
  [
    "wants TLS where it is off",
    `${SOMEBODY}tls:\n  policy: off\n  certificate: a\n  key: b\n  sessionReuse: require\n` +
    "  clientCertificates: { mode: request, ca: c }\nlisten:\n  - tls: implicit\n",
    "ftpsd.yaml:4: tls.certificate: is given, but tls.policy is off",
    "ftpsd.yaml:6: tls.sessionReuse: is given, but tls.policy is off",
    "ftpsd.yaml:7: tls.clientCertificates.mode: is request, but tls.policy is off",
    "ftpsd.yaml:9: listen[0].tls: is implicit, but tls.policy is off",
  ],
  [
    "accepts an unknown risk without a reason",
    `${SOMEBODY}acceptRisks:\n  - risk: anonymous-writes\n`,
    "ftpsd.yaml:3: acceptRisks[0].risk: *",
    "ftpsd.yaml:3: acceptRisks[0].reason: is missing; give the reason why",
  ],
  [
    "has much that is wrong, in the order of the file",
    "tlss:\n  policy: off\nusers:\n  - nane: alice\n    home: 5\nlimits:\n  conections: 1\nbanner: 7\nlisten:\n" +
    "  - hots: 1.2.3.4\n    port: x\n",
    "ftpsd.yaml:1: tlss: unknown key; did you mean tls?",
    "ftpsd.yaml:4: users[0].nane: unknown key; did you mean name?",
    "ftpsd.yaml:4: users[0].name: is missing; give a user name",
    "ftpsd.yaml:4: users[0].password: is missing; give a password hash; make one with: ftpsd hash-password",
    "ftpsd.yaml:5: users[0].home: 5 is not a folder, or { store: NAME, path: /folder }; put it in quotes",
    "ftpsd.yaml:7: limits.conections: unknown key; did you mean connections?",
    "ftpsd.yaml:8: banner: 7 is not a text; put it in quotes",
    "ftpsd.yaml:10: listen[0].hots: unknown key; did you mean host?",
    'ftpsd.yaml:11: listen[0].port: "x" is not a port, 0 to 65535',
  ],
];
