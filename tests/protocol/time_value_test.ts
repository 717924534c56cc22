import { assertEquals } from "@std/assert";
import { formatTimeValue, parseTimeValue, wallClock } from "../../lib/protocol/facts.ts";

Deno.test("formatTimeValue() writes UTC and cuts fractions off", () => {
  assertEquals(formatTimeValue(new Date("2026-11-22T09:04:05.999Z")), "20261122090405");
  assertEquals(formatTimeValue(new Date(0)), "19700101000000");
});

Deno.test("formatTimeValue() writes the years 0 to 9999", () => {
  assertEquals(formatTimeValue(new Date("0000-01-01T00:00:00Z")), "00000101000000");
  assertEquals(formatTimeValue(new Date("0987-06-05T00:00:00Z")), "09870605000000");
  assertEquals(formatTimeValue(new Date("9999-12-31T23:59:59Z")), "99991231235959");
});

Deno.test("formatTimeValue() returns nothing for other years and invalid dates", () => {
  assertEquals(formatTimeValue(new Date("-000001-12-31T23:59:59Z")), undefined);
  assertEquals(formatTimeValue(new Date("+010000-01-01T00:00:00Z")), undefined);
  assertEquals(formatTimeValue(new Date(NaN)), undefined);
  assertEquals(formatTimeValue(new Date(NaN), { local: true }), undefined);
});

Deno.test("formatTimeValue() writes the server's time when asked to", () => {
  assertEquals(formatTimeValue(new Date(2026, 0, 2, 3, 4, 5), { local: true }), "20260102030405");
  assertEquals(formatTimeValue(new Date(2026, 6, 31, 23, 59, 59), { local: true }), "20260731235959");
});

Deno.test("wallClock() follows the zone of the date", () => {
  const date = new Date("2026-07-01T12:00:00Z");
  date.getTimezoneOffset = () => -150;
  assertEquals(wallClock(date, { local: true }), new Date("2026-07-01T14:30:00Z"));
  assertEquals(wallClock(date, { local: false }).getTime(), date.getTime());
  assertEquals(formatTimeValue(date, { local: true }), "20260701143000");
});

const PARSED: readonly (readonly [text: string, iso: string])[] = [
  ["20261122090405", "2026-11-22T09:04:05.000Z"],
  ["20240229000000", "2024-02-29T00:00:00.000Z"],
  ["20000229000000", "2000-02-29T00:00:00.000Z"],
  ["19700101000000", "1970-01-01T00:00:00.000Z"],
  ["00500101000000", "0050-01-01T00:00:00.000Z"],
  ["99991231235959", "9999-12-31T23:59:59.000Z"],
  ["20161231235960", "2017-01-01T00:00:00.000Z"],
  ["20261122090405.1", "2026-11-22T09:04:05.100Z"],
  ["20261122090405.0019", "2026-11-22T09:04:05.001Z"],
  ["20261122090405.9999999999", "2026-11-22T09:04:05.999Z"],
];

for (const [text, iso] of PARSED) {
  Deno.test(`parseTimeValue() reads ${text}`, () => {
    assertEquals(parseTimeValue(text)?.toISOString(), iso);
  });
}

for (
  const text of [
    "",
    "2026112209040",
    "202611220904055",
    "2026112209040x",
    "+2026112209040",
    "20261122090405.",
    "20261122090405.x",
    "20261122090405 ",
    "20261122090405\n",
    "20260022090405",
    "20261322090405",
    "20261100090405",
    "20261131090405",
    "20260229090405",
    "19000229090405",
    "20261122240000",
    "20261122096000",
    "20261122090461",
    "٢٠٢٦١١٢٢٠٩٠٤٠٥",
  ]
) {
  Deno.test(`parseTimeValue() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseTimeValue(text), undefined);
  });
}
