import { assert, assertEquals } from "@std/assert";
import { findProblemOfFilter } from "../../lib/accounts/ldap/ldap_filter.ts";
import {
  escapeDnValue,
  escapeFilterValue,
  fillDn,
  fillFilter,
  isDirectoryName,
  normalizeDn,
} from "../../lib/accounts/ldap/ldap_escaping.ts";

Deno.test("escapeFilterValue() and escapeDnValue() leave no character of ASCII that means something (RFC 4515 §3, RFC 4514 §2.4)", () => {
  assertEquals(escapeFilterValue("a*(b)\\c"), "a\\2a\\28b\\29\\5cc");
  assertEquals(escapeDnValue(' #a,b+c"d<e>f;g=h\\'), "\\20\\23a\\2cb\\2bc\\22d\\3ce\\3ef\\3bg\\3dh\\5c");
  assertEquals(escapeFilterValue("bjørn 𝕏"), "bjørn\\20𝕏");
  for (let code = 0; code < 128; code++) {
    const character = String.fromCharCode(code);
    const escaped = /[A-Za-z0-9]/.test(character) ? character : `\\${code.toString(16).padStart(2, "0")}`;
    assertEquals([escapeFilterValue(character), escapeDnValue(character)], [escaped, escaped]);
  }
});

Deno.test("fillFilter() and fillDn() put names into all places, and look at nothing twice", () => {
  assertEquals(fillFilter("(|(uid={name})(mail={name}))", { name: "a*" }), "(|(uid=a\\2a)(mail=a\\2a))");
  assertEquals(
    fillFilter("(&(member={dn})(o={name}))", { name: "{dn}", dn: "cn=a" }),
    "(&(member=cn\\3da)(o=\\7bdn\\7d))",
  );
  assertEquals(fillDn("uid={name},dc=x", "a,dc=y"), "uid=a\\2cdc\\3dy,dc=x");
  assertEquals(fillDn("uid={name},dc=x", "$&{name}"), "uid=\\24\\26\\7bname\\7d,dc=x");
});

Deno.test("isDirectoryName() takes what may be the name of an entry", () => {
  for (const name of ["alice", "Bjørn Åse", "*", "a,b", "x".repeat(256), " "]) assert(isDirectoryName(name), name);
  for (const name of ["", "a\0", "\ud800", "a\nb", "\x7f", "x".repeat(257), "é".repeat(129)]) {
    assert(!isDirectoryName(name), JSON.stringify(name));
  }
});

Deno.test("normalizeDn() makes the spellings of a name the same", () => {
  assertEquals(normalizeDn("CN=Partners, OU = Groups,dc=example"), "cn=partners,ou=groups,dc=example");
});

Deno.test("findProblemOfFilter() finds what is no filter", () => {
  assertEquals(findProblemOfFilter("(uid={name})"), undefined);
  assertEquals(findProblemOfFilter("(&(objectClass=person)(|(uid={name})(mail={name}))(!(disabled=TRUE)))"), undefined);
  assertEquals(findProblemOfFilter("(memberOf:1.2.840.113556.1.4.1941:=cn={name})"), undefined);
  for (const filter of ["(uid={name}", "(uid)", "(&(uid={name})", "()"]) {
    assert(findProblemOfFilter(filter)?.startsWith("is no filter of LDAP: "), filter);
  }
});
