import { assert, assertEquals } from "@std/assert";
import { isTimeZone, isWithinHours, parseWeeklyHours, wallTimeIn } from "../lib/weekly_hours.ts";

/** Whether hours hold at a moment of a week; 1 is Monday. */
function holdsAt(text: string, day: number, time: string): boolean {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  const hours = parseWeeklyHours(text);
  return hours !== undefined && isWithinHours([hours], { day, minute: hour * 60 + minute });
}

Deno.test("parseWeeklyHours() reads days and spans, and nothing that may be meant otherwise", () => {
  assertEquals(parseWeeklyHours("Mo-Fr 08:00-18:00"), { days: [1, 2, 3, 4, 5], from: 480, to: 1080 });
  assertEquals(parseWeeklyHours("Sa-Mo,We 00:00-24:00"), { days: [6, 7, 1, 3], from: 0, to: 1440 });
  assertEquals(parseWeeklyHours("22:30-06:00"), { days: [1, 2, 3, 4, 5, 6, 7], from: 1350, to: 360 });
  const wrong = [
    "",
    "Mo-Fr",
    "8-18",
    "8:00-18:00",
    "mo-fr 08:00-18:00",
    "Mo-Fr 08:00-18:60",
    "Mo 24:00-06:00",
    "Mo 08:00-24:01",
  ];
  for (
    const text of [
      ...wrong,
      "Mo 08:00-08:00",
      "Mo  08:00-18:00",
      "Mo, Tu 08:00-18:00",
      "Mo 08:00-18:00\n",
      "Mo-Fr-Sa 08:00-18:00",
    ]
  ) {
    assertEquals(parseWeeklyHours(text), undefined, JSON.stringify(text));
  }
});

Deno.test("isWithinHours() holds from the first minute of a span to before its end, over midnight into the next day", () => {
  const office = "Mo-Fr 08:00-18:00";
  for (
    const [day, time, holds] of [[1, "08:00", true], [1, "07:59", false], [5, "17:59", true], [5, "18:00", false], [
      6,
      "12:00",
      false,
    ]] as const
  ) {
    assertEquals(holdsAt(office, day, time), holds, `${day} ${time}`);
  }
  const night = "Su 22:00-06:00";
  for (
    const [day, time, holds] of [[7, "22:00", true], [1, "05:59", true], [1, "06:00", false], [7, "05:00", false], [
      1,
      "23:00",
      false,
    ]] as const
  ) {
    assertEquals(holdsAt(night, day, time), holds, `${day} ${time}`);
  }
  assert(holdsAt("00:00-24:00", 3, "23:59"));
});

Deno.test("wallTimeIn() follows summer time: an hour that is left out never comes, and one comes twice", () => {
  const inBerlin = (moment: string) => wallTimeIn("Europe/Berlin", new Date(moment));
  assertEquals(inBerlin("2026-03-29T00:59:59Z"), { day: 7, minute: 119 });
  assertEquals(inBerlin("2026-03-29T01:00:00Z"), { day: 7, minute: 180 });
  assertEquals([inBerlin("2026-10-25T00:30:00Z"), inBerlin("2026-10-25T01:30:00Z")], [
    { day: 7, minute: 150 },
    { day: 7, minute: 150 },
  ]);
  assertEquals(wallTimeIn("+05:30", new Date("2026-01-01T00:00:00Z")), { day: 4, minute: 330 });
  assertEquals(wallTimeIn("UTC", new Date("2026-11-29T23:59:59Z")), { day: 7, minute: 1439 });
});

Deno.test("isTimeZone() knows names and offsets", () => {
  assertEquals(["Europe/Berlin", "UTC", "+02:00", "Europe/Bonn", "", "+25:00"].map(isTimeZone), [
    true,
    true,
    true,
    false,
    false,
    false,
  ]);
});
