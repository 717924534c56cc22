import { assert, assertEquals, assertThrows } from "@std/assert";
import type { GivenSettings } from "../../lib/settings/options.ts";
import { resolveSettings } from "../../lib/settings/validate.ts";

/** Settings as programs in JavaScript may give them. */
const BAD: readonly (readonly [given: unknown, error: typeof RangeError | typeof TypeError, message: string])[] = [
  [{ limits: { connections: -1 } }, RangeError, "Cannot use limits.connections: -1 is not a whole number, 0 or more"],
  [{ limits: { connections: "9" } }, RangeError, 'Cannot use limits.connections: "9" is not a whole number'],
  [{ tls: { policy: "strict" } }, RangeError, 'Cannot use tls.policy: "strict" is not one of required'],
  [{ tls: { polic: "off" } }, TypeError, "Cannot use tls.polic: unknown key; did you mean policy?"],
  [{ tls: null }, TypeError, "Cannot use tls: has no value; give a mapping"],
  [{ tls: () => {} }, TypeError, "Cannot use tls: "],
  [{ listen: [] }, TypeError, "Cannot use listen: has no entry"],
  [[], TypeError, "Cannot use the options: a list is not a mapping"],
  [Object.create({ bannner: "inherited" }), RangeError, "Cannot use the options: has keys that are not its own"],
  [
    { passive: { ports: { from: 5, to: 4 } } },
    RangeError,
    "Cannot use passive.ports: a mapping is not a range of ports",
  ],
  [{ passive: { ports: { from: 4, to: 5, step: 2 } } }, RangeError, "Cannot use passive.ports: "],
  [{ tls: { clientCertificates: { ca: "x" } } }, TypeError, "tls.clientCertificates.mode: is not given, but ca is"],
  [{ tls: { certificate: "x" } }, TypeError, "Cannot use tls.certificate: has no key; give tls.key too"],
  [
    { tls: { key: "-----BEGIN\nMIGHAgEA", certificate: 5 } },
    RangeError,
    "Cannot use tls.certificate: the value is not",
  ],
];

for (const [given, error, message] of BAD) {
  Deno.test(`resolveSettings() throws ${error.name}: ${message}`, () => {
    const thrown = assertThrows(() => resolveSettings(given as GivenSettings), error, message);
    assert(!thrown.message.includes("MIGHAgEA"));
  });
}

Deno.test("resolveSettings() takes a range of ports as a file and as a program writes it", () => {
  const ports = { from: 50_000, to: 50_100 };
  for (const given of ["50000-50100", ports]) {
    assertEquals(resolveSettings({ passive: { ports: given } }).passive.ports, ports);
  }
});

Deno.test("resolveSettings() takes undefined for what is not given", () => {
  const given = {
    tls: undefined,
    listen: [{ host: undefined, port: 1 }],
    banner: undefined,
  } as unknown as GivenSettings;
  const { tls, listen, banner } = resolveSettings(given);
  assertEquals([tls.policy, listen, banner], [
    "required",
    [{ host: "127.0.0.1", port: 1, tls: "explicit" }],
    "ftpsd ready.",
  ]);
});
