import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { CertificateDemand, type CertificateMatch } from "../../lib/accounts/certificate_demand.ts";
import type { PeerCertificate } from "../../lib/transport/connection.ts";

const SHOWN: PeerCertificate = {
  subject: "C=DE, CN=alice",
  fingerprint: "AB:CD",
  alternativeNames: ["email:alice@example.org", "dns:alice.example.org"],
};

function fits(...match: CertificateMatch[]): boolean {
  return new CertificateDemand({ login: "alone", match }).replacesPassword(SHOWN);
}

Deno.test("CertificateDemand compares fingerprint, subject and alternative names as they are", () => {
  assert(fits({ fingerprint: "AB:CD" }));
  assert(fits({ subject: "C=DE, CN=alice" }));
  assert(fits({ san: "dns:alice.example.org" }));
  for (const subject of ["CN=alice", "C=DE, CN=Alice", "CN=alice, C=DE", "C=DE, CN=alice ", ""]) {
    assert(!fits({ subject }), subject);
  }
  for (
    const san of [
      "alice@example.org",
      "email:ALICE@example.org",
      "uri:alice@example.org",
      "email:alice",
      "dns:*.example.org",
    ]
  ) {
    assert(!fits({ san }), san);
  }
  assert(!fits({ fingerprint: "ab:cd" })); // settings write it in capitals
});

Deno.test("CertificateDemand wants all of one entry, and one of all entries", () => {
  assert(fits({ subject: "C=DE, CN=alice", san: "email:alice@example.org" }));
  assert(!fits({ subject: "C=DE, CN=alice", san: "email:bob@example.org" }));
  assert(fits({ subject: "C=DE, CN=bob" }, { fingerprint: "AB:CD" }));
});

Deno.test("CertificateDemand replaces the password only alone, and refuses only where it is needed beside one", () => {
  const match = [{ fingerprint: "AB:CD" }];
  const alone = new CertificateDemand({ login: "alone", match });
  const both = new CertificateDemand({ login: "withPassword", match });
  const other = { ...SHOWN, fingerprint: "EF:01" };
  assertEquals([SHOWN, other, undefined].map((shown) => alone.replacesPassword(shown)), [true, false, false]);
  assertEquals([SHOWN, other, undefined].map((shown) => both.replacesPassword(shown)), [false, false, false]);
  assertEquals([SHOWN, other, undefined].map((shown) => alone.refusal(shown)), [undefined, undefined, undefined]);
  assertEquals(both.refusal(SHOWN), undefined);
  assertMatch(both.refusal(other) ?? "", /"C=DE, CN=alice" \(EF:01\) is not one of the account/);
  assertMatch(both.refusal(undefined) ?? "", /has shown no certificate/);
});

Deno.test("CertificateDemand refuses lists and entries that name nothing", () => {
  for (const match of [[], [{}], [{ fingerprint: "AB:CD" }, { subject: undefined }]]) {
    assertThrows(() => new CertificateDemand({ login: "alone", match }), SyntaxError);
  }
});
