import { assert, assertEquals } from "@std/assert";
import { type AddressRange, isInRange, parseAddressRange } from "../../lib/protocol/address_range.ts";

function range(text: string): AddressRange {
  const parsed = parseAddressRange(text);
  assert(parsed !== undefined, text);
  return parsed;
}

Deno.test("parseAddressRange() takes addresses and networks whose other bits are zero, and nothing else", () => {
  const good = [
    ...["10.0.0.0/8", "127.0.0.1", "0.0.0.0/0", "192.0.2.128/25", "192.0.2.7/32", "128.0.0.0/1"],
    ...["::1", "2001:db8::/32", "::/0", "fe80::/10", "2001:DB8:0:0::/64", "::ffff:10.0.0.0/104", "2001:db8::1/128"],
  ];
  for (const text of good) assert(parseAddressRange(text) !== undefined, text);
  const bad = [
    ...[
      "",
      "/8",
      "10.0.0.0/",
      "10.0.0.0/33",
      "10.0.0.1/8",
      "10.0.0.0/08",
      "10.0.0.0/-1",
      "10.0.0.0/8/8",
      "010.0.0.0/8",
    ],
    ...["10.0.0/8", "lan", "::/129", "2001:db8::1/32", "fe80::1%eth0", "fe80::%eth0/64", "10.0.0.0/8 ", "10.0.0.0/1e1"],
  ];
  for (const text of bad) assertEquals(parseAddressRange(text), undefined, text);
});

Deno.test("isInRange() compares the bits of the prefix, in whatever spelling the address is", () => {
  const cases: readonly (readonly [network: string, inside: readonly string[], outside: readonly string[]])[] = [
    ["10.0.0.0/8", ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3", "::ffff:a01:203"], ["11.0.0.0", "9.255.255.255"]],
    ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127", "192.0.3.128"]],
    ["127.0.0.1", ["127.0.0.1", "::ffff:127.0.0.1"], ["127.0.0.2", "::1", "::7f00:1"]],
    ["::ffff:10.0.0.0/104", ["10.9.9.9"], ["11.0.0.0", "::"]],
    ["2001:db8::/33", ["2001:db8:7fff::", "2001:DB8::1%eth0"], ["2001:db8:8000::", "2001:db9::"]],
    ["0.0.0.0/0", ["1.2.3.4", "255.255.255.255"], ["::1", "2001:db8::"]],
    ["::/0", ["::1", "1.2.3.4"], []],
    ["10.0.0.0/8", [], ["", "localhost", "10.0.0", "unix"]],
  ];
  for (const [network, inside, outside] of cases) {
    for (const host of inside) assert(isInRange(host, range(network)), `${host} in ${network}`);
    for (const host of outside) assert(!isInRange(host, range(network)), `${host} in ${network}`);
  }
});
