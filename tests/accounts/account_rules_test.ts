import { assertEquals, assertThrows } from "@std/assert";
import { AccountRules } from "../../lib/accounts/account_rules.ts";

const FROM = { remoteHost: "192.0.2.7" };

Deno.test("AccountRules refuses from the moment of expiry on", () => {
  const rules = new AccountRules({ expires: new Date("2027-12-31T17:00Z") });
  assertEquals(rules.refusal(FROM, new Date("2027-12-31T16:59:59.999Z")), undefined);
  assertEquals(rules.refusal(FROM, new Date("2027-12-31T17:00Z")), "the account has expired");
  assertEquals(rules.ending(new Date("2030-01-01T00:00Z")), "the account has expired");
});

Deno.test("AccountRules refuses addresses that are in none of its networks, in whatever spelling", () => {
  const rules = new AccountRules({ addresses: ["192.0.2.0/24", "2001:db8::/32"] });
  const now = new Date();
  for (const remoteHost of ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207", "2001:db8:0:1::1", "2001:DB8::"]) {
    assertEquals(rules.refusal({ remoteHost }, now), undefined, remoteHost);
  }
  for (const remoteHost of ["192.0.3.7", "::ffff:192.0.3.7", "2001:db9::1", "::192.0.2.7", "", "localhost"]) {
    assertEquals(rules.refusal({ remoteHost }, now), "the account is not used from this address", remoteHost);
  }
  assertEquals(rules.ending(now), undefined);
  const ofMapped = new AccountRules({ addresses: ["::ffff:192.0.2.0/120"] });
  assertEquals(ofMapped.refusal(FROM, now), undefined);
});

Deno.test("AccountRules refuses at other hours, by the clock on the wall of its time zone", () => {
  const rules = new AccountRules({ hours: ["Mo-Fr 08:00-18:00"], timezone: "Europe/Berlin" });
  const reasonAt = (moment: string) => rules.refusal(FROM, new Date(moment));
  const refused = "the account is not used at this hour";
  assertEquals([reasonAt("2026-07-06T05:59Z"), reasonAt("2026-07-06T06:00Z")], [refused, undefined]);
  assertEquals([reasonAt("2026-12-07T06:59Z"), reasonAt("2026-12-07T07:00Z")], [refused, undefined]);
  assertEquals(reasonAt("2026-12-06T12:00Z"), refused);
});

Deno.test("AccountRules takes nothing that it cannot read", () => {
  for (
    const rules of [{ addresses: ["10.0.0.5/8"] }, { hours: ["always"] }, { timezone: "Bonn" }, {
      expires: new Date("x"),
    }]
  ) {
    assertThrows(() => new AccountRules(rules), SyntaxError, "Cannot use the rules of an account");
  }
});
