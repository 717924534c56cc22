import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  addressBlock,
  formatExtendedPort,
  formatHostPort,
  formatSocketAddress,
  ipFamily,
  parseExtendedHostPort,
  parseHostPort,
  sameHost,
  unmapHost,
} from "../../lib/protocol/host_port.ts";
import { assertProperty } from "../helpers/property.ts";

const ports = () => fc.nat({ max: 65535 });
const addresses = () => fc.oneof(fc.ipV4(), fc.ipV6());

Deno.test("formatHostPort() is read back by PORT, and by clients out of the text of 227", () => {
  assertProperty(fc.property(fc.ipV4(), ports(), (host, port) => {
    const text = formatHostPort(host, port);
    assertEquals(parseHostPort(text), { host, port });
    assertEquals(readPassiveReply(`227 Entering Passive Mode (${text}).`), { host, port });
  }));
});

Deno.test("formatExtendedPort() is read back by clients out of the text of 229", () => {
  assertProperty(fc.property(ports(), (port) => {
    assertEquals(readExtendedPassiveReply(`229 Entering Extended Passive Mode (${formatExtendedPort(port)})`), port);
  }));
});

Deno.test("parseExtendedHostPort() reads what a client writes, whatever the delimiter", () => {
  const delimiters = fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code));
  assertProperty(fc.property(delimiters, addresses(), ports(), (delimiter, host, port) => {
    const family = host.includes(":") ? "2" : "1";
    fc.pre(![family, host, String(port)].some((field) => field.includes(delimiter)));
    assertEquals(parseExtendedHostPort(["", family, host, port, ""].join(delimiter)), { family, host, port });
  }));
});

Deno.test("parseHostPort() and parseExtendedHostPort() return an address and a port in range, or nothing", () => {
  const numbers = fc.oneof(
    { weight: 8, arbitrary: fc.nat({ max: 260 }).map(String) },
    { weight: 1, arbitrary: fc.constantFrom("", "-1", "0x7f", "1e2", "65535", "65536", " 1") },
  );
  const octets = fc.array(fc.nat({ max: 257 }), { minLength: 4, maxLength: 4 });
  const parts = fc.array(fc.integer({ min: 250, max: 65540 }), { minLength: 1, maxLength: 2 });
  const lists = fc.oneof(
    fc.array(numbers, { minLength: 4, maxLength: 7 }),
    fc.tuple(octets, parts).map((fields) => fields.flat().map(String)),
  );
  assertProperty(fc.property(lists, fc.constantFrom(",", "|", "!"), (fields, delimiter) => {
    const text = fields.join(delimiter);
    const plain = parseHostPort(text);
    if (plain !== undefined) {
      assertEquals([ipFamily(plain.host), isPort(plain.port)], [4, true]);
      assertEquals(parseHostPort(formatHostPort(plain.host, plain.port)), plain);
    }
    const extended = parseExtendedHostPort(delimiter + text);
    if (extended !== undefined) assertEquals([fields.length, isPort(extended.port)], [4, true]);
  }));
});

Deno.test("ipFamily() reports the family of every address, with a zone too", () => {
  assertProperty(fc.property(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[a-z]{1,4}\d$/), (ipv4, ipv6, zone) => {
    assertEquals([ipv4, ipv6, `${ipv6}%${zone}`].map(ipFamily), [4, 6, 6]);
  }));
});

Deno.test("sameHost() sees an address in its other spellings, and none in another address", () => {
  assertProperty(fc.property(fc.ipV6(), fc.ipV6(), (one, other) => {
    // The runtime's own parser gives the shortest spelling.
    const [canonicalOne, canonicalOther] = [one, other].map(canonical);
    assert(sameHost(one, canonicalOne ?? ""));
    assert(sameHost(one.toUpperCase(), one));
    assertEquals(sameHost(one, other), canonicalOne === canonicalOther);
  }));
});

Deno.test("sameHost() and unmapHost() know an IPv4 address mapped into IPv6", () => {
  assertProperty(fc.property(fc.ipV4(), (ipv4) => {
    const mapped = [`::ffff:${ipv4}`, canonical(`::ffff:${ipv4}`), `0:0:0:0:0:FFFF:${ipv4}`];
    assertEquals(mapped.map((host) => [unmapHost(host), sameHost(host, ipv4)]), mapped.map(() => [ipv4, true]));
  }));
});

Deno.test("addressBlock() names an IPv4 address itself, and the 64 bits before what an IPv6 host chooses", () => {
  assertProperty(fc.property(fc.ipV4(), fc.ipV6(), fc.ipV6(), (ipv4, one, other) => {
    assertEquals(addressBlock(ipv4), ipv4);
    fc.pre(ipFamily(unmapHost(one)) === 6 && ipFamily(unmapHost(other)) === 6);
    assertEquals(addressBlock(one) === addressBlock(other), network(one) === network(other));
  }));
});

Deno.test("formatSocketAddress() can be taken apart again", () => {
  assertProperty(fc.property(addresses(), ports(), (host, port) => {
    const [, bracketed, plain, digits] = /^(?:\[(.+)\]|([^:]+)):(\d+)$/.exec(formatSocketAddress({ host, port })) ?? [];
    assertEquals([bracketed ?? plain, Number(digits)], [host, port]);
  }));
});

/** As ftplib, curl and others do: six numbers, wherever they stand. */
function readPassiveReply(line: string) {
  const numbers = /(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)/.exec(line.slice(4))?.slice(1) ?? [];
  return { host: numbers.slice(0, 4).join("."), port: Number(numbers[4]) * 256 + Number(numbers[5]) };
}

/** As ftplib does: what stands in the parentheses, cut at the character that is its first and its last. */
function readExtendedPassiveReply(line: string): number {
  const inside = line.slice(line.indexOf("(") + 1, line.indexOf(")"));
  const fields = inside.split(inside.charAt(0));
  assertEquals([inside.at(-1), fields.length], [inside.at(0), 5]);
  return Number(fields[3]);
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 0 && port <= 65535;
}

/** The shortest spelling of an IPv6 address (RFC 5952), as URLs have it. */
function canonical(ipv6: string): string {
  return new URL(`http://[${ipv6}]/`).hostname.slice(1, -1);
}

/** The first 64 bits of an IPv6 address. */
function network(ipv6: string): string {
  const [head = "", tail] = canonical(ipv6).split("::");
  const before = head.split(":").filter(Boolean);
  const after = (tail ?? "").split(":").filter(Boolean);
  return [...before, ...Array(8 - before.length - after.length).fill("0"), ...after].slice(0, 4).join(":");
}
