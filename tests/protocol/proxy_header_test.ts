import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { networkInterfaces } from "node:os";
import { addressGroups, formatGroups } from "../../lib/protocol/host_port.ts";
import {
  MAX_PROXY_HEADER_BYTES,
  parseProxyHeader,
  type ProxyHeader,
  type ProxyHeaderResult,
} from "../../lib/protocol/proxy_header.ts";
import { assertProperty } from "../helpers/property.ts";
import { proxyBlock, proxyLine, SIGNATURE } from "../helpers/proxy_headers.ts";

const CLIENT = { host: "203.0.113.7", port: 50_000 };
const REACHED = { host: "198.51.100.1", port: 21 };
const CLIENT6 = { host: "2001:db8::7", port: 50_000 };
const REACHED6 = { host: "2001:db8:1::21", port: 21 };
const UNIQUE_ID = 0x05;

const encode = (text: string) => new TextEncoder().encode(text);

function headerIn(bytes: Uint8Array): ProxyHeader {
  const result = parseProxyHeader(bytes);
  assert(result.state === "complete", JSON.stringify(result));
  assertEquals(result.bytes, bytes.length);
  return result.header;
}

function reasonIn(bytes: Uint8Array): string {
  const result = parseProxyHeader(bytes);
  assert(result.state === "refused", JSON.stringify(result));
  return result.reason;
}

function clientOf(source: typeof CLIENT, destination: typeof CLIENT, uniqueId?: string): ProxyHeader {
  return { kind: "client", source, destination, uniqueId };
}

Deno.test("parseProxyHeader() reads addresses and ports of both versions and families", () => {
  for (const write of [proxyLine, proxyBlock]) {
    assertEquals(headerIn(write(CLIENT, REACHED)), clientOf(CLIENT, REACHED));
    assertEquals(headerIn(write(CLIENT6, REACHED6)), clientOf(CLIENT6, REACHED6));
  }
});

Deno.test("parseProxyHeader() spells addresses as the runtime does, however they were written", () => {
  for (const host of ["2001:DB8:0:0:0:0:0:7", "2001:0db8::0007", "2001:db8:0::0:7"]) {
    assertEquals(headerIn(proxyLine({ ...CLIENT6, host }, REACHED6)), clientOf(CLIENT6, REACHED6));
  }
  const mapped = { host: "::ffff:203.0.113.7", port: CLIENT.port };
  const reached = { host: "::ffff:198.51.100.1", port: 21 };
  for (const write of [proxyLine, proxyBlock]) {
    assertEquals(headerIn(write(mapped, reached)), clientOf(CLIENT, REACHED));
  }
  for (const { address } of Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])) {
    assertEquals(formatGroups(addressGroups(address) ?? []), address);
  }
});

Deno.test("parseProxyHeader() takes UNKNOWN and LOCAL for the balancer's own checks, whatever else is in them", () => {
  const checks = [
    encode("PROXY UNKNOWN\r\n"),
    encode("PROXY UNKNOWN ffff:f...f:ffff x y z 65535\r\n"),
    proxyBlock(CLIENT, REACHED, { command: 0x20 }),
    proxyBlock(CLIENT, REACHED, { command: 0x20, family: 0, addresses: new Uint8Array() }),
    proxyBlock(CLIENT, REACHED, { command: 0x20, family: 0xff, addresses: new Uint8Array(300).fill(0xff) }),
  ];
  for (const bytes of checks) assertEquals(headerIn(bytes), { kind: "check" });
});

Deno.test("parseProxyHeader() keeps the unique id, and passes over all else that is behind the addresses", () => {
  const other = [[0x02, encode("ftp.example.org")], [0x04, new Uint8Array(100)], [0x20, new Uint8Array(8)]] as const;
  const id = (value: Uint8Array) =>
    headerIn(proxyBlock(CLIENT, REACHED, { values: [...other, [UNIQUE_ID, value], [0xee, encode("x")]] }));
  assertEquals(id(encode("node1-0000001F")), clientOf(CLIENT, REACHED, "node1-0000001F"));
  assertEquals(id(Uint8Array.of(0x1b, 0x5b, 0x41)), clientOf(CLIENT, REACHED, "1b5b41"));
  assertEquals(id(encode("with space")), clientOf(CLIENT, REACHED, "77697468207370616365"));
  assertEquals(id(new Uint8Array()), clientOf(CLIENT, REACHED));
  assertEquals(id(new Uint8Array(129).fill(0x41)), clientOf(CLIENT, REACHED));
});

Deno.test("parseProxyHeader() refuses what is not TCP over IP, and says what it is", () => {
  const families = [[0x00, /an unknown connection/], [0x31, /a Unix socket/], [0x32, /a Unix socket/], [
    0x12,
    /another/,
  ]];
  for (const [family, reason] of [...families, [0x22, /another/], [0x10, /another/], [0xff, /another/]] as const) {
    const bytes = proxyBlock(CLIENT, REACHED, { family: family as number, addresses: new Uint8Array(216) });
    assertMatch(reasonIn(bytes), reason as RegExp);
  }
});

Deno.test("parseProxyHeader() refuses malformed lines of version 1", () => {
  const lines = [
    "PROXY TCP4 203.0.113.7 198.51.100.1 50000\r\n",
    "PROXY TCP4 203.0.113.7 198.51.100.1 50000 21 \r\n",
    "PROXY  TCP4 203.0.113.7 198.51.100.1 50000 21\r\n",
    "PROXY TCP4  203.0.113.7 198.51.100.1 50000 21\r\n",
    "PROXY TCP4 203.0.113.7 198.51.100.1 65536 21\r\n",
    "PROXY TCP4 203.0.113.7 198.51.100.1 050000 21\r\n",
    "PROXY TCP4 203.0.113.7 198.51.100.1 -1 21\r\n",
    "PROXY TCP4 203.0.113.007 198.51.100.1 50000 21\r\n",
    "PROXY TCP4 203.0.113.256 198.51.100.1 50000 21\r\n",
    "PROXY TCP4 2001:db8::7 2001:db8::1 50000 21\r\n",
    "PROXY TCP6 203.0.113.7 198.51.100.1 50000 21\r\n",
    "PROXY TCP6 fe80::7%eth0 2001:db8::1 50000 21\r\n",
    "PROXY TCP6 2001:db8::7::1 2001:db8::1 50000 21\r\n",
    "PROXY TCP4 203.0.113.7 2001:db8::1 50000 21\r\n",
    "PROXY TCP5 203.0.113.7 198.51.100.1 50000 21\r\n",
    "PROXY UDP4 203.0.113.7 198.51.100.1 50000 21\r\n",
    "PROXY UNKNOWNS\r\n",
    "PROXY \r\n",
    "PROXY TCP4 203.0.113.7 198.51.100.1 50000 21\n",
    "PROXY TCP4 203.0.113.7 198.51.100.1 50000 21\n\r\n",
    "PROXY TCP4 203.0.113.7\0 198.51.100.1 50000 21\r\n",
    "PROXY\tTCP4 203.0.113.7 198.51.100.1 50000 21\r\n",
    "proxy TCP4 203.0.113.7 198.51.100.1 50000 21\r\n",
    " PROXY TCP4 203.0.113.7 198.51.100.1 50000 21\r\n",
  ];
  for (const line of lines) assertEquals(parseProxyHeader(encode(line)).state, "refused", line);
});

Deno.test("parseProxyHeader() holds at most 107 bytes of version 1 and 2,064 of version 2", () => {
  const longest = encode(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`);
  assertEquals([longest.length, headerIn(longest)], [107, { kind: "check" }]);
  const endless = encode(`PROXY UNKNOWN ${"x".repeat(92)}`);
  assertEquals(parseProxyHeader(endless), { state: "incomplete" });
  assertMatch(reasonIn(encode(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`)), /did not end/);
  const value = (bytes: number) => proxyBlock(CLIENT, REACHED, { values: [[0x04, new Uint8Array(bytes)]] });
  const largest = MAX_PROXY_HEADER_BYTES - 16 - 12 - 3;
  assertEquals(headerIn(value(largest)), clientOf(CLIENT, REACHED));
  // Before the rest of it has come.
  assertMatch(reasonIn(value(largest + 1).subarray(0, 16)), /more than 2064 bytes/);
  assertMatch(reasonIn(Uint8Array.from([...SIGNATURE, 0x20, 0, 0xff, 0xff])), /more than 2064 bytes/);
});

Deno.test("parseProxyHeader() refuses other versions and commands, blocks that are too short, and values that are cut off", () => {
  for (const command of [0x00, 0x01, 0x10, 0x11, 0x22, 0x2f, 0x30, 0x31, 0xf1]) {
    assertMatch(reasonIn(proxyBlock(CLIENT, REACHED, { command })), /unknown version or command/);
  }
  assertMatch(reasonIn(proxyBlock(CLIENT, REACHED, { addresses: new Uint8Array(11) })), /too short/);
  assertMatch(reasonIn(proxyBlock(CLIENT6, REACHED6, { addresses: new Uint8Array(35) })), /too short/);
  for (const rest of [[0x04], [0x04, 0], [0x04, 0, 2, 1], [0x05, 0xff, 0xff]]) {
    const addresses = Uint8Array.from([...new Uint8Array(12), ...rest]);
    assertMatch(reasonIn(proxyBlock(CLIENT, REACHED, { addresses })), /cut off/);
  }
});

Deno.test("parseProxyHeader() refuses the beginnings of TLS, FTP and HTTP at their first byte", () => {
  for (const start of ["\x16\x03\x01", "USER x\r\n", "GET / HTTP/1.1\r\n", "\n", "\0", "\r\n\r\n\0\r\nQUIX"]) {
    assertMatch(reasonIn(encode(start)), /did not begin/);
  }
  assertEquals(parseProxyHeader(new Uint8Array()), { state: "incomplete" });
});

const PORTS = fc.integer({ min: 0, max: 65_535 });
const ENDS4 = fc.record({ host: fc.ipV4(), port: PORTS });
const ENDS6 = fc.record({ host: fc.ipV6(), port: PORTS });
const VALUES = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 60 })), { maxLength: 8 });

const HEADERS = fc.oneof(
  fc.tuple(ENDS4, ENDS4).map(([source, destination]) => proxyLine(source, destination)),
  fc.tuple(ENDS6, ENDS6).map(([source, destination]) => proxyLine(source, destination)),
  fc.tuple(ENDS4, ENDS4, VALUES).map(([source, destination, values]) => proxyBlock(source, destination, { values })),
  fc.tuple(ENDS6, ENDS6, VALUES).map(([source, destination, values]) => proxyBlock(source, destination, { values })),
);

Deno.test("parseProxyHeader() finds each header incomplete at every cut, and the same whatever comes behind it", () => {
  assertProperty(fc.property(HEADERS, fc.uint8Array({ maxLength: 40 }), (header, behind) => {
    for (let end = 0; end < header.length; end++) {
      assertEquals(parseProxyHeader(header.subarray(0, end)), { state: "incomplete" });
    }
    const whole = parseProxyHeader(header);
    assertEquals(whole.state, "complete");
    assertEquals(parseProxyHeader(Uint8Array.from([...header, ...behind])), whole);
  }));
});

Deno.test("parseProxyHeader() gives addresses back as they were sent", () => {
  assertProperty(fc.property(fc.oneof(fc.tuple(ENDS4, ENDS4), fc.tuple(ENDS6, ENDS6)), ([source, destination]) => {
    const [line, block] = [headerIn(proxyLine(source, destination)), headerIn(proxyBlock(source, destination))];
    assertEquals(line, block);
    assert(line.kind === "client");
    assertEquals(addressGroups(line.source.host), addressGroups(source.host));
    assertEquals([line.source.port, line.destination.port], [source.port, destination.port]);
  }));
});

Deno.test("parseProxyHeader() never throws, and never changes its mind when more comes", () => {
  const broken = fc.tuple(HEADERS, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([header, at, byte]) => {
    const copy = header.slice();
    copy[at % copy.length] = byte;
    return copy;
  });
  const signed = fc.uint8Array({ maxLength: 80 }).map((bytes) => Uint8Array.from([...SIGNATURE, ...bytes]));
  const named = fc.string({ maxLength: 120 }).map((text) => encode(`PROXY ${text}\r\n`));
  assertProperty(fc.property(fc.oneof(broken, signed, named, fc.uint8Array({ maxLength: 60 })), (bytes) => {
    let before: ProxyHeaderResult = { state: "incomplete" };
    for (let end = 0; end <= bytes.length; end++) {
      const result = parseProxyHeader(bytes.subarray(0, end));
      if (before.state !== "incomplete") assertEquals(result, before);
      before = result;
    }
  }));
});
