import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  formatExtendedPort,
  formatHostPort,
  formatSocketAddress,
  ipFamily,
  isLinkLocal,
  parseExtendedHostPort,
  parseHostPort,
  sameHost,
  unmapHost,
} from "../../lib/protocol/host_port.ts";

Deno.test("parseHostPort() reads six numbers", () => {
  assertEquals(parseHostPort("127,0,0,1,200,10"), { host: "127.0.0.1", port: 51210 });
  assertEquals(parseHostPort("0,0,0,0,0,0"), { host: "0.0.0.0", port: 0 });
  assertEquals(parseHostPort("255,255,255,255,255,255"), { host: "255.255.255.255", port: 65535 });
});

Deno.test("parseHostPort() takes leading zeros as decimal", () => {
  assertEquals(parseHostPort("127,000,010,001,004,010"), { host: "127.0.10.1", port: 1034 });
});

Deno.test("parseHostPort() takes the port as a whole", () => {
  assertEquals(parseHostPort("127,0,0,1,0,60001"), { host: "127.0.0.1", port: 60001 });
});

for (
  const argument of [
    "",
    "127,0,0,1,1.1",
    "X,0,0,1,1,1",
    "127,0,0,1,1,1,1",
    "127,0,0,1",
    "127,0,0,1,1",
    "256,0,0,1,1,1",
    "127,0,0,999,1,1",
    "127,0,0,1,256,1",
    "127,0,0,1,255,256",
    "127,0,0,1,-1,0",
    "-1,0,0,1,1,1",
    "127,0,0,1,1,",
    "127,0,0,1,1,1 ",
    "127,0,0,1,1,1e2",
    "127,0,0,0x1,1,1",
    "127,0,0,1,1,1\n",
    "127,0,0,1,0,100000",
  ]
) {
  Deno.test(`parseHostPort() refuses ${JSON.stringify(argument)}`, () => {
    assertEquals(parseHostPort(argument), undefined);
  });
}

Deno.test("parseExtendedHostPort() reads three fields between any delimiters", () => {
  assertEquals(parseExtendedHostPort("|1|132.235.1.2|6275|"), { family: "1", host: "132.235.1.2", port: 6275 });
  assertEquals(parseExtendedHostPort("!2!1080::8:800:200C:417A!5282!"), {
    family: "2",
    host: "1080::8:800:200C:417A",
    port: 5282,
  });
  assertEquals(parseExtendedHostPort("~1~1.2.3.4~65535~"), { family: "1", host: "1.2.3.4", port: 65535 });
});

Deno.test("parseExtendedHostPort() leaves protocol and address unchecked", () => {
  assertEquals(parseExtendedHostPort("|2|rubbish|2222|"), { family: "2", host: "rubbish", port: 2222 });
  assertEquals(parseExtendedHostPort("|3||0|"), { family: "3", host: "", port: 0 });
});

for (
  const argument of [
    "",
    "|",
    "||",
    "|||",
    "||||",
    "|||||",
    "|1|127.0.0.1|65536|",
    "|1|127.0.0.1|-1|",
    "|1|127.0.0.1||",
    "|1|127.0.0.1|1 |",
    "|1|127.0.0.1|222",
    "|1|127.0.0.1|222|x",
    "|1|127.0.0.1|222||",
    "1|127.0.0.1|222|",
    "|1!127.0.0.1!222!",
    " 1 127.0.0.1 222 ",
    "\x7f1\x7f127.0.0.1\x7f222\x7f",
    "§1§127.0.0.1§222§",
    ":2:::1:222:",
  ]
) {
  Deno.test(`parseExtendedHostPort() refuses ${JSON.stringify(argument)}`, () => {
    assertEquals(parseExtendedHostPort(argument), undefined);
  });
}

Deno.test("formatHostPort() writes what parseHostPort() reads", () => {
  assertEquals(formatHostPort("203.0.113.7", 50001), "203,0,113,7,195,81");
  for (const port of [1, 255, 256, 1024, 65535]) {
    assertEquals(parseHostPort(formatHostPort("10.0.0.1", port)), { host: "10.0.0.1", port });
  }
});

Deno.test("formatHostPort() refuses what is not an IPv4 address", () => {
  for (const host of ["::1", "::ffff:1.2.3.4", "localhost", "256.1.1.1", ""]) {
    assertThrows(() => formatHostPort(host, 1), RangeError, "is not an IPv4 address");
  }
});

Deno.test("formatExtendedPort() writes three bars, the port and a bar", () => {
  assertEquals(formatExtendedPort(6446), "|||6446|");
});

Deno.test("formatSocketAddress() puts brackets around IPv6 addresses", () => {
  assertEquals(formatSocketAddress({ host: "1.2.3.4", port: 21 }), "1.2.3.4:21");
  assertEquals(formatSocketAddress({ host: "::1", port: 65535 }), "[::1]:65535");
});

const IPV6_ADDRESSES = [
  "::",
  "::1",
  "1::",
  "2001:db8::8:800:200c:417a",
  "2001:DB8:0:0:8:800:200C:417A",
  "1:2:3:4:5:6:7:8",
  "1:2:3:4:5:6:7::",
  "::2:3:4:5:6:7:8",
  "::ffff:1.2.3.4",
  "64:ff9b::192.0.2.33",
  "1:2:3:4:5:6:1.2.3.4",
  "fe80::1%eth0",
];
const NO_ADDRESSES = [
  "",
  "localhost",
  "1.2.3",
  "1.2.3.4.5",
  "1.2.3.256",
  "01.2.3.4",
  "1.2.3.4 ",
  "1.2.3.4\n",
  "0x7f.0.0.1",
  "2130706433",
  ":",
  ":::",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "1::2::3",
  ":1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:",
  "12345::",
  "g::",
  "::1.2.3",
  "::1.2.3.256",
  "1.2.3.4::",
  "1:2:3:4:5:6:7:1.2.3.4",
  "[::1]",
  "::1%",
  "::1%a\nb",
];

Deno.test("ipFamily() knows IPv4 addresses", () => {
  for (const host of ["0.0.0.0", "127.0.0.1", "255.255.255.255"]) assertEquals(ipFamily(host), 4, host);
});

Deno.test("ipFamily() knows IPv6 addresses", () => {
  for (const host of IPV6_ADDRESSES) assertEquals(ipFamily(host), 6, host);
});

Deno.test("ipFamily() knows what is no address", () => {
  for (const host of NO_ADDRESSES) assertEquals(ipFamily(host), undefined, host);
});

const SAME_HOSTS = [
  ["127.0.0.1", "127.0.0.1"],
  ["::1", "0:0:0:0:0:0:0:1"],
  ["::", "0::0"],
  ["2001:DB8::1", "2001:0db8:0:0::0001"],
  ["::ffff:1.2.3.4", "1.2.3.4"],
  ["::FFFF:102:304", "1.2.3.4"],
  ["0:0:0:0:0:ffff:1.2.3.4", "::ffff:1.2.3.4"],
  ["fe80::1%eth0", "fe80::1%2"],
  ["fe80::1%eth0", "fe80::1"],
] as const;
const OTHER_HOSTS = [
  ["127.0.0.1", "127.0.0.2"],
  ["::1", "::2"],
  ["::1.2.3.4", "1.2.3.4"],
  ["::1:ffff:1.2.3.4", "1.2.3.4"],
  ["1::", "::1"],
  ["localhost", "localhost"],
  ["", ""],
] as const;

Deno.test("sameHost() sees through different spellings", () => {
  for (const [a, b] of SAME_HOSTS) {
    assertEquals([sameHost(a, b), sameHost(b, a)], [true, true], `${a} ${b}`);
  }
});

Deno.test("sameHost() is false for different addresses and for what is no address", () => {
  for (const [a, b] of OTHER_HOSTS) {
    assertEquals([sameHost(a, b), sameHost(b, a)], [false, false], `${a} ${b}`);
  }
});

Deno.test("unmapHost() returns mapped addresses in their IPv4 form, others as they are", () => {
  assertEquals(["::ffff:127.0.0.1", "::FFFF:7f00:1", "0:0:0:0:0:ffff:1.2.3.4"].map(unmapHost), [
    "127.0.0.1",
    "127.0.0.1",
    "1.2.3.4",
  ]);
  const others = ["1.2.3.4", "::1", "2001:DB8::0", "::1.2.3.4", "64:ff9b::1.2.3.4", "localhost", "::ffff:x"];
  assertEquals(others.map(unmapHost), others);
});

Deno.test("isLinkLocal() knows fe80::/10, with and without a zone", () => {
  for (const host of ["fe80::1", "fe80::1%eth0", "FE80::1%4", "febf:ffff::1"]) assert(isLinkLocal(host), host);
  for (const host of ["::1", "fec0::1", "fd00::2", "169.254.1.1", "fe80", "::ffff:10.0.0.1"]) {
    assert(!isLinkLocal(host), host);
  }
});
