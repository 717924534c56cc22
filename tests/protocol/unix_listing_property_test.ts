import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ListLineFormatter } from "../../lib/protocol/unix_listing.ts";
import { formatListLine, type ListEntry } from "../helpers/list_line.ts";
import { parseUnixLine, type UnixLine } from "../helpers/listing_parser.ts";
import { assertProperty } from "../helpers/property.ts";
import { fileName } from "../helpers/property_values.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** An entry of which all is known. */
type KnownEntry = { readonly [Field in keyof Omit<ListEntry, "target">]-?: NonNullable<ListEntry[Field]> };

const ANY_DAY = { min: new Date("0000-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true };
const OUR_TIMES = { min: new Date("1990-01-01"), max: new Date("2100-12-31"), noInvalidDate: true };

const entries = (modified: fc.Arbitrary<Date>): fc.Arbitrary<KnownEntry> =>
  fc.record({
    name: fileName(),
    type: fc.constantFrom("file", "directory", "link", "other"),
    size: fc.maxSafeNat(),
    modified,
    mode: fc.nat({ max: 0o7777 }),
    links: fc.nat(),
    uid: fc.nat({ max: 2 ** 32 - 1 }),
    gid: fc.nat({ max: 2 ** 32 - 1 }),
  });

function expected(entry: KnownEntry, modified: Date): UnixLine {
  const { uid, gid, ...rest } = entry;
  return { ...rest, owner: String(uid), group: String(gid), modified };
}

Deno.test("ListLineFormatter.format() is read back by a client, whatever the name: all to the day", () => {
  const ages = fc.oneof(fc.integer({ min: 181, max: 400 }), fc.integer({ min: -400, max: -1 }), fc.constant(undefined));
  assertProperty(fc.property(entries(fc.date(ANY_DAY)), fc.date(OUR_TIMES), ages, (any, now, days) => {
    const modified = days === undefined ? any.modified : new Date(now.getTime() - days * DAY_MS);
    const age = now.getTime() - modified.getTime();
    fc.pre(age < 0 || age > 180 * DAY_MS);
    const entry = { ...any, modified };
    const day = new Date(Math.floor(modified.getTime() / DAY_MS) * DAY_MS);
    assertEquals(parseUnixLine(formatListLine(entry, now), now), expected(entry, day));
  }));
});

Deno.test("ListLineFormatter.format() is read back by a client, of the last half-year to the minute, across years and leap days", () => {
  const ages = fc.nat({ max: 180 * DAY_MS });
  const times = fc.tuple(fc.date(OUR_TIMES), ages).map(([now, age]) => ({
    now,
    modified: new Date(now.getTime() - age),
  }));
  assertProperty(fc.property(times, entries(fc.constant(new Date(0))), ({ now, modified }, entry) => {
    const minute = new Date(Math.floor(modified.getTime() / 60_000) * 60_000);
    assertEquals(parseUnixLine(formatListLine({ ...entry, modified }, now), now), expected(entry, minute));
  }));
});

Deno.test("ListLineFormatter.format() keeps its form where nothing but name and type is known, and for dates that are none", () => {
  const types = fc.constantFrom("file" as const, "directory" as const, "link" as const, "other" as const);
  assertProperty(fc.property(fileName(), types, fc.date(), fc.date(OUR_TIMES), (name, type, modified, now) => {
    const { owner, group, ...line } = parseUnixLine(formatListLine({ name, type, size: 0, modified }, now), now);
    assertEquals([owner, group, line.name, line.type], ["ftp", "ftp", name, type]);
  }));
});

Deno.test("ListLineFormatter.format() writes the same whatever entry was before", () => {
  const now = new Date("2026-11-22T12:00:30Z");
  const near = fc.constantFrom(0, 1, -1, 29_000, -29_000, 31_000, 180 * DAY_MS, 180 * DAY_MS + 1, NaN)
    .map((age) => new Date(now.getTime() - age));
  const some = fc.record({
    name: fc.constantFrom("a", "b"),
    type: fc.constantFrom("file" as const, "directory" as const),
    size: fc.nat(9),
    modified: fc.option(near, { nil: undefined }),
    mode: fc.constantFrom(0o644, 0o600, undefined),
    links: fc.constantFrom(1, undefined),
    uid: fc.constantFrom(0, 1, undefined),
    gid: fc.constantFrom(0, 1, undefined),
  });
  assertProperty(fc.property(fc.array(some, { minLength: 2 }), fc.boolean(), (entries, local) => {
    const formatter = new ListLineFormatter(now, { local });
    for (const entry of entries) {
      assertEquals(formatter.format(entry.name, entry), formatListLine(entry, now, { local }));
    }
  }));
});
