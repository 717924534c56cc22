import { assert, assertEquals } from "@std/assert";
import { LoginRefusedError } from "../../lib/accounts/authorizer.ts";
import { refusalOf } from "../../lib/accounts/ldap/bind_refusal.ts";
import { LdapResultError } from "../../lib/accounts/ldap/ldap_connection.ts";

function activeDirectory(data: string): LdapResultError {
  return new LdapResultError(
    49,
    `80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data ${data}, v2580\0`,
  );
}

Deno.test("refusalOf() tells a wrong password from the reasons of Active Directory", () => {
  for (const data of ["52e", "525", "57"]) assertEquals(refusalOf(activeDirectory(data)), "wrong");
  assertEquals(refusalOf(new LdapResultError(49, "")), "wrong");
  for (
    const [data, reason] of [
      ["530", "the directory does not let it in at this hour"],
      ["531", "the directory does not let it in from here"],
      ["532", "its password has expired"],
      ["533", "it is disabled in the directory"],
      ["701", "it has expired in the directory"],
      ["773", "its password has to be changed first"],
      ["775", "it is locked in the directory"],
    ] as const
  ) {
    const refusal = refusalOf(activeDirectory(data));
    assert(refusal instanceof LoginRefusedError);
    assertEquals(refusal.message, reason);
  }
});

Deno.test("refusalOf() tells a directory that says no from one that does not answer the question", () => {
  for (const code of [32, 34, 48]) assertEquals(refusalOf(new LdapResultError(code, "")), "wrong");
  for (const code of [19, 53]) assert(refusalOf(new LdapResultError(code, "")) instanceof LoginRefusedError);
  for (const code of [1, 2, 8, 10, 13, 51, 52, 80]) assertEquals(refusalOf(new LdapResultError(code, "")), undefined);
});
