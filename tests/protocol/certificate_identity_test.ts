import { X509Certificate } from "node:crypto";
import type * as x509 from "@peculiar/x509";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { readIdentity } from "../../lib/protocol/certificate_identity.ts";
import { DerError } from "../../lib/protocol/der.ts";
import { assertProperty } from "../helpers/property.ts";
import { issue, type IssueOptions } from "../transport/client_pki.ts";

const UTF8_STRING = 0x0c;
const PRINTABLE_STRING = 0x13;
const COMMON_NAME = [0x06, 3, 0x55, 0x04, 0x03];
const COUNTRY = [0x06, 3, 0x55, 0x04, 0x06];

async function identityOf(options: IssueOptions) {
  const { certificate } = await issue("alice", options);
  return readIdentity(new X509Certificate(certificate).raw);
}

function wrap(tag: number, ...parts: readonly (readonly number[])[]): number[] {
  const content = parts.flat();
  const { length } = content;
  return [tag, ...length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff], ...content];
}

function attribute(type: readonly number[], bytes: readonly number[], tag = UTF8_STRING): number[] {
  return wrap(0x30, type, wrap(tag, bytes));
}

function bytesOf(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}

/** The subject of a certificate with such levels, each of some attributes. */
function subjectOf(...levels: readonly (readonly (readonly number[])[])[]): string {
  const name = wrap(0x30, ...levels.map((level) => wrap(0x31, ...level)));
  const empty = wrap(0x30);
  const body = wrap(0x30, [0xa0, 3, 2, 1, 2], [2, 1, 5], empty, empty, empty, name, empty);
  return readIdentity(new Uint8Array(wrap(0x30, body, empty, [3, 1, 0]))).subject;
}

Deno.test("readIdentity() reads subject, issuer and number", async () => {
  const authority = await issue("CA", { isAuthority: true });
  const { certificate } = await issue("alice", {
    issuer: authority,
    subject: [{ C: ["DE"] }, { O: ["Example"] }, { CN: ["alice"] }],
  });
  const parsed = new X509Certificate(certificate);
  const { subject, serial, issuer } = readIdentity(parsed.raw);
  assertEquals(subject, "C=DE, O=Example, CN=alice");
  assertEquals(serial.toHex().toUpperCase(), parsed.serialNumber);
  const { subjectBytes } = readIdentity(new X509Certificate(authority.certificate).raw);
  assertEquals(issuer, subjectBytes);
});

Deno.test("readIdentity() escapes what could be taken for another name", () => {
  const common = (text: string) =>
    subjectOf([attribute(COUNTRY, bytesOf("DE"))], [attribute(COMMON_NAME, bytesOf(text))]);
  assertEquals(common("alice, O=Example"), "C=DE, CN=alice\\, O=Example");
  assertEquals(common("alice + O=Example"), "C=DE, CN=alice \\+ O=Example");
  assertEquals(common("alice\nCN=bob"), "C=DE, CN=alice\\0aCN=bob");
  assertEquals(common("alice\0"), "C=DE, CN=alice\\00");
  assertEquals(common("alice\\"), "C=DE, CN=alice\\\\");
  assertEquals(common('"alice"; <a>'), 'C=DE, CN=\\"alice\\"\\; \\<a\\>');
  assertEquals(common(" alice "), "C=DE, CN=\\ alice\\ ");
  assertEquals(common(" "), "C=DE, CN=\\ ");
  assertEquals(common("#30"), "C=DE, CN=\\#30");
  assertEquals(common("a\u202elice"), "C=DE, CN=a\\e2\\80\\aelice"); // turns the direction of writing
  assertEquals(common("Åse"), "C=DE, CN=Åse");
});

Deno.test("readIdentity() tells several attributes of one level from several levels", () => {
  const [alice, germany] = [attribute(COMMON_NAME, bytesOf("alice")), attribute(COUNTRY, bytesOf("DE"))];
  assertEquals(subjectOf([germany, alice]), "C=DE + CN=alice");
  assertEquals(subjectOf([germany], [alice]), "C=DE, CN=alice");
  assertEquals(subjectOf([alice], [alice]), "CN=alice, CN=alice");
  assertEquals(subjectOf(), "");
});

Deno.test("readIdentity() gives what is no text of a known kind as bytes, and unknown attributes as numbers", () => {
  const teletex = 0x14;
  assertEquals(subjectOf([attribute(COMMON_NAME, bytesOf("alice"), teletex)]), "CN=#1405616c696365");
  assertEquals(subjectOf([attribute(COMMON_NAME, [0xff])]), "CN=#0c01ff");
  assertEquals(subjectOf([attribute(COMMON_NAME, [0xe9], PRINTABLE_STRING)]), "CN=#1301e9");
  assertEquals(subjectOf([attribute([0x06, 2, 0x88, 0x37], bytesOf("x"))]), "2.999=x");
});

Deno.test("readIdentity() gives different subjects different texts", () => {
  const part = fc.string({ unit: fc.constantFrom(...'a ,+=\\#"0\n'), maxLength: 6 });
  const levels = fc.array(fc.array(part, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 2 });
  const format = (given: readonly (readonly string[])[]) =>
    subjectOf(...given.map((level) => level.map((text) => attribute(COMMON_NAME, bytesOf(text)))));
  assertProperty(fc.property(levels, levels, (one, other) => {
    assertEquals(format(one) === format(other), JSON.stringify(one) === JSON.stringify(other));
  }));
});

Deno.test("readIdentity() gives alternative names with their kinds", async () => {
  const { alternativeNames } = await identityOf({
    alternativeNames: [
      { type: "email", value: "alice@example.org" },
      { type: "dns", value: "alice.example.org" },
      { type: "url", value: "https://example.org/alice" },
      { type: "upn", value: "alice@corp.example" },
      { type: "ip", value: "192.0.2.1" },
    ],
  });
  assertEquals(alternativeNames, [
    "email:alice@example.org",
    "dns:alice.example.org",
    "uri:https://example.org/alice",
    "upn:alice@corp.example",
  ]);
});

Deno.test("readIdentity() takes no name for two, nor one of another kind, and leaves out what has no place in one", async () => {
  const read = async (...names: x509.JsonGeneralNames) =>
    (await identityOf({ alternativeNames: names })).alternativeNames;
  // As in CVE-2021-44532 and CVE-2021-44533
  assertEquals(await read({ type: "dns", value: "a.example.org, email:alice@example.org" }), []);
  assertEquals(await read({ type: "dns", value: 'a.example.org",email:"alice' }), ['dns:a.example.org",email:"alice']);
  for (const value of ["alice@example.org\0.evil.example", "alice@example.org\n", " alice@example.org", ""]) {
    assertEquals(await read({ type: "email", value }), [], JSON.stringify(value));
  }
  assertEquals(await read({ type: "upn", value: "alice\0@corp.example" }), []);
  assertEquals(await read({ type: "dns", value: "email:alice@example.org" }), ["dns:email:alice@example.org"]);
});

Deno.test("readIdentity() refuses a certificate with alternative names twice, and one that is cut off", async () => {
  const { certificate } = await issue("alice", { alternativeNames: [{ type: "email", value: "alice@example.org" }] });
  const der = new Uint8Array(new X509Certificate(certificate).raw);
  assertThrows(() => readIdentity(der.subarray(0, -1)), DerError);
  const empty = wrap(0x30);
  const names = wrap(0x30, [0x06, 3, 0x55, 0x1d, 0x11], wrap(0x04, wrap(0x30, wrap(0x81, bytesOf("a@b")))));
  const certificateWith = (...extensions: number[][]) => {
    const body = wrap(0x30, [2, 1, 5], empty, empty, empty, empty, empty, wrap(0xa3, wrap(0x30, ...extensions)));
    return new Uint8Array(wrap(0x30, body, empty, [3, 1, 0]));
  };
  assertEquals(readIdentity(certificateWith(names)).alternativeNames, ["email:a@b"]);
  assertThrows(() => readIdentity(certificateWith(names, names)), DerError);
});
