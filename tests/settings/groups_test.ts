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
