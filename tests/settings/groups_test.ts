import { assertEquals } from "@std/assert";
import { problemsOf, read } from "./configuration_text.ts";

function permissionsOf(user: string): string | undefined {
  const groups = "groups:\n  readers: {}\n  partners: { permissions: elw }\n  editors: { permissions: elradfmw }\n";
  return read(`${groups}users: [{ name: alice, password: x, home: /srv/alice, ${user} }]\n`).users[0]?.permissions;
}

Deno.test("readConfiguration() gives users the permissions of the first group that says any, where they have none", () => {
  assertEquals(permissionsOf("groups: []"), "elr");
  assertEquals(permissionsOf("groups: [readers]"), "elr");
  assertEquals(permissionsOf("groups: [readers, partners, editors]"), "elw");
  assertEquals(permissionsOf("groups: [editors, partners]"), "elradfmw");
  assertEquals(permissionsOf("groups: [editors], permissions: ''"), "");
});

Deno.test("readConfiguration() wants groups that there are, each once", () => {
  const user = (groups: string) => `users: [{ name: alice, password: x, home: /srv/alice, groups: ${groups} }]\n`;
  assertEquals(problemsOf(user("[partners]")), [
    'ftpsd.yaml:1: users[0].groups[0]: "partners" is not one of groups; there are none',
  ]);
  assertEquals(problemsOf(`groups: { a: {}, b: {} }\n${user("[a, c, a, constructor]")}`), [
    'ftpsd.yaml:2: users[0].groups[1]: "c" is not one of groups; known are a, b',
    'ftpsd.yaml:2: users[0].groups[2]: "a" is given twice',
    'ftpsd.yaml:2: users[0].groups[3]: "constructor" is not one of groups; known are a, b',
  ]);
});

Deno.test("readConfiguration() lets groups say, key by key, what a user does not: the first that says it", () => {
  const { users } = read(`
groups:
  office: { hours: ["Mo-Fr 08:00-18:00"], limits: { connections: 2, bandwidth: { upload: 1MiB } }, messages: { login: Office. } }
  partners:
    addresses: [203.0.113.0/24]
    hours: [00:00-24:00]
    expires: 2027-12-31
    timezone: Europe/Berlin
    limits: { connections: 9, bandwidth: { download: 2MiB } }
    messages: { login: Partners., quit: "Bye, partner." }
    quota: { files: 10 }
users:
  - { name: alice, password: x, home: /srv/alice, groups: [office, partners] }
  - name: bob
    password: x
    home: /srv/bob
    groups: [partners]
    addresses: [192.0.2.1]
    limits: { connections: 0 }
    messages: { quit: Ciao. }
  - { name: carol, password: x, home: /srv/carol }
`);
  const [alice, bob, carol] = users.map(({ limits, messages, expires, addresses, hours, timezone, quota }) => ({
    limits,
    messages,
    rules: [expires?.toISOString(), addresses, hours, timezone],
    files: quota.files,
  }));
  assertEquals(alice, {
    limits: { connections: 2, bandwidth: { upload: 2 ** 20, download: 2 ** 21 } },
    messages: { login: "Office.", quit: "Bye, partner." },
    rules: ["2028-01-01T00:00:00.000Z", ["203.0.113.0/24"], ["Mo-Fr 08:00-18:00"], "Europe/Berlin"],
    files: 0,
  });
  assertEquals(bob, {
    limits: { connections: 0, bandwidth: { upload: 0, download: 2 ** 21 } },
    messages: { login: "Partners.", quit: "Ciao." },
    rules: ["2028-01-01T00:00:00.000Z", ["192.0.2.1"], ["00:00-24:00"], "Europe/Berlin"],
    files: 0,
  });
  assertEquals(carol, {
    limits: { connections: 0, bandwidth: { upload: 0, download: 0 } },
    messages: { login: "Login successful.", quit: "Goodbye." },
    rules: [undefined, undefined, undefined, undefined],
    files: 0,
  });
});

Deno.test("readConfiguration() wants certificates to be asked for, and those of a group to have the name of each member", () => {
  const user = (certificates: string) => `users: [{ name: alice, password: x, home: /srv/alice, ${certificates} }]\n`;
  const own = "certificates: { login: alone, match: [{ subject: CN=alice }] }";
  assertEquals(problemsOf(user(own)), [
    "ftpsd.yaml:1: users[0].certificates: is given, but tls.clientCertificates.mode is none",
  ]);
  const asked = "tls: { clientCertificates: { mode: request, ca: ca.crt } }\n";
  assertEquals(problemsOf(asked + user(own)), []);
  const group = (match: string, login = "alone") =>
    `${asked}groups: { a: { certificates: { login: ${login}, match: [${match}] } } }\n${user("groups: [a]")}`;
  for (const match of ["{ subject: 'O=Example, CN={name}' }", "{ san: 'email:{name}@example.org' }"]) {
    assertEquals(problemsOf(group(match)), []);
  }
  assertEquals(problemsOf(group("{ subject: 'CN={name}' }, { subject: CN=office }")), [
    "ftpsd.yaml:2: groups.a.certificates.match[1]: lets one certificate in as every member; put {name} into subject or san",
  ]);
  assertEquals(problemsOf(group("{ subject: CN=office }", "withPassword")), []);
  assertEquals(problemsOf(group("", "withPassword")), [
    "ftpsd.yaml:2: groups.a.certificates.match: has no entry; give at least one certificate",
  ]);
  assertEquals(problemsOf(group("{}", "withPassword")), [
    "ftpsd.yaml:2: groups.a.certificates.match[0]: names no certificate; give fingerprint, subject or san",
  ]);
});
