import { assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { formatTimeValue, parseTimeValue } from "../../lib/protocol/facts.ts";
import { assertProperty } from "../helpers/property.ts";

/** The years that four digits can tell. */
const FOUR_DIGITS = {
  min: new Date("0000-01-01T00:00:00.000Z"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
};

const two = (max: number, min = 0) => fc.integer({ min, max }).map((value) => String(value).padStart(2, "0"));

Deno.test("parseTimeValue() reads back what formatTimeValue() writes, to the second", () => {
  assertProperty(fc.property(fc.date(FOUR_DIGITS), (date) => {
    const text = formatTimeValue(date) ?? "";
    assertEquals(parseTimeValue(text)?.getTime(), Math.floor(date.getTime() / 1000) * 1000);
  }));
});

Deno.test("parseTimeValue() reads fractions to the millisecond", () => {
  assertProperty(fc.property(fc.date(FOUR_DIGITS), fc.stringMatching(/^\d{0,6}$/), (date, digits) => {
    const text = `${formatTimeValue(date)}.${String(date.getUTCMilliseconds()).padStart(3, "0")}${digits}`;
    assertEquals(parseTimeValue(text)?.getTime(), date.getTime());
  }));
});

Deno.test("parseTimeValue() takes a day for what the calendar takes it for, or not at all", () => {
  const year = fc.integer({ min: 1, max: 9999 }).map((value) => String(value).padStart(4, "0"));
  assertProperty(fc.property(year, two(13), two(32), two(24), two(60), two(59), (y, mo, d, h, mi, s) => {
    const date = new Date(`${y}-${mo}-${d}T${h}:${mi}:${s}Z`);
    // The runtime lets the 30th of February run over, and the hour 24.
    const isTime = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(`${y}-${mo}-${d}T${h}`);
    assertEquals(parseTimeValue(`${y}${mo}${d}${h}${mi}${s}`)?.getTime(), isTime ? date.getTime() : undefined);
  }));
});

Deno.test("formatTimeValue() writes back what parseTimeValue() reads, whatever was sent", () => {
  const texts = fc.oneof(
    fc.stringMatching(/^[0-2]\d{3}[01]\d[0-3]\d[0-2]\d[0-5]\d[0-5]\d$/),
    fc.string({ maxLength: 16 }),
  );
  assertProperty(fc.property(texts, (text) => {
    const date = parseTimeValue(text);
    if (date !== undefined) assertEquals(formatTimeValue(date), text.slice(0, 14));
  }));
});

Deno.test("formatTimeValue() returns fourteen digits for the years that four can say, and nothing for others", () => {
  assertProperty(fc.property(fc.date(), fc.boolean(), (date, local) => {
    const text = formatTimeValue(date, { local });
    if (text !== undefined) assertMatch(text, /^\d{14}$/);
    const year = date.getUTCFullYear();
    if (!local) assertEquals(text !== undefined, year >= 0 && year <= 9999);
  }));
});
