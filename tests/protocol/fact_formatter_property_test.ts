import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { FactFormatter, type FactInfo } from "../../lib/protocol/fact_formatter.ts";
import { FACT_NAMES, type FactName, formatTimeValue, modeFact, permFact } from "../../lib/protocol/facts.ts";
import { parseFactsLine } from "../helpers/listing_parser.ts";
import { assertProperty } from "../helpers/property.ts";
import { fileName } from "../helpers/property_values.ts";

const LETTERS = "elrad";
const TYPES = { file: "file", directory: "dir", other: "OS.unix=special" } as const;
const OUR_TIMES = { min: new Date("1990-01-01"), max: new Date("2100-12-31"), noInvalidDate: true };

const someInfo = () =>
  fc.record({
    type: fc.constantFrom("file" as const, "directory" as const, "other" as const),
    size: fc.maxSafeNat(),
    modified: fc.date(OUR_TIMES),
    unique: fc.stringMatching(/^[0-9a-f]{1,8}g[0-9a-f]{1,16}$/),
    mode: fc.nat({ max: 0o7777 }),
    uid: fc.nat(),
    gid: fc.nat(),
  }, { requiredKeys: ["type", "size"] });
const someNames = () => fc.subarray([...FACT_NAMES]);

function factsOf({ type, size, modified, unique, mode, uid, gid }: FactInfo): Partial<Record<FactName, string>> {
  return {
    type: TYPES[type as keyof typeof TYPES],
    perm: permFact(LETTERS, type),
    size: String(size),
    ...modified !== undefined && { modify: formatTimeValue(modified) ?? "" },
    ...unique !== undefined && { unique },
    ...mode !== undefined && { "unix.mode": modeFact(mode) },
    ...uid !== undefined && { "unix.uid": String(uid) },
    ...gid !== undefined && { "unix.gid": String(gid) },
  };
}

Deno.test("FactFormatter.format() and a name are read back by the grammar of RFC 3659, whatever the name", () => {
  assertProperty(fc.property(someInfo(), someNames(), fileName(), (info, selected, name) => {
    const line = `${new FactFormatter(LETTERS, selected).format(info)} ${name}`;
    const known = Object.entries(factsOf(info)).filter(([fact]) => selected.includes(fact as FactName));
    assertEquals(parseFactsLine(line), { facts: Object.fromEntries(known), name });
  }));
});

Deno.test("FactFormatter.format() writes the same whatever entry was before", () => {
  const near = fc.record({
    type: fc.constantFrom("file" as const, "link" as const),
    size: fc.nat(9),
    modified: fc.constantFrom(-1, 999, 1000, 59_999, 60_000, NaN, 1e15, undefined).map((ms) =>
      ms === undefined ? ms : new Date(ms)
    ),
    unique: fc.constantFrom("1g1", undefined),
    mode: fc.constantFrom(0o644, 0o600, undefined),
    uid: fc.constantFrom(0, 1, undefined),
    gid: fc.constantFrom(0, 1, undefined),
  });
  assertProperty(fc.property(fc.array(near, { minLength: 2 }), (infos) => {
    const formatter = new FactFormatter(LETTERS, FACT_NAMES);
    for (const info of infos) assertEquals(formatter.format(info), new FactFormatter(LETTERS, FACT_NAMES).format(info));
  }));
});
