import { assertEquals } from "@std/assert";
import { formatListLine, type ListEntry } from "../helpers/list_line.ts";

const NOW = new Date("2026-11-22T12:00:00Z");
const DAY_MS = 24 * 60 * 60 * 1000;

const FILE: ListEntry = {
  name: "notes.txt",
  type: "file",
  size: 1234,
  modified: new Date("2026-11-02T09:04:59Z"),
  mode: 0o640,
  links: 2,
  uid: 1000,
  gid: 100,
};

function modeOf(type: ListEntry["type"], mode?: number): string {
  return formatListLine({ name: "x", type, size: 0, mode }, NOW).slice(0, 10);
}

function timeOf(modified: Date): string {
  const line = formatListLine({ name: "x", type: "file", size: 0, modified }, NOW);
  return line.slice(-14, -2);
}

Deno.test("ListLineFormatter.format() writes mode, links, owner, group, size, time and name", () => {
  assertEquals(formatListLine(FILE, NOW), "-rw-r-----   2 1000     100          1234 Nov 02 09:04 notes.txt");
});

Deno.test("ListLineFormatter.format() has defaults for what is unknown", () => {
  assertEquals(
    formatListLine({ name: "a", type: "file", size: 0 }, NOW),
    "-rw-r--r--   1 ftp      ftp             0 Jan 01  1970 a",
  );
  assertEquals(
    formatListLine({ name: "d", type: "directory", size: 4096 }, NOW),
    "drwxr-xr-x   1 ftp      ftp          4096 Jan 01  1970 d",
  );
});

Deno.test("ListLineFormatter.format() shows owner and group 0 and mode 0", () => {
  assertEquals(
    formatListLine({ ...FILE, mode: 0, uid: 0, gid: 0 }, NOW),
    "----------   2 0        0            1234 Nov 02 09:04 notes.txt",
  );
});

Deno.test("ListLineFormatter.format() keeps the fields apart when they are wide", () => {
  assertEquals(
    formatListLine({ ...FILE, links: 12345, uid: 4294967294, gid: 4294967294, size: 2 ** 52 }, NOW),
    "-rw-r----- 12345 4294967294 4294967294 4503599627370496 Nov 02 09:04 notes.txt",
  );
});

Deno.test("ListLineFormatter.format() keeps the name verbatim", () => {
  assertEquals(formatListLine({ ...FILE, name: " a -> b ä " }, NOW).slice(-11), "  a -> b ä ");
});

Deno.test("ListLineFormatter.format() shows the type", () => {
  assertEquals(modeOf("file"), "-rw-r--r--");
  assertEquals(modeOf("directory"), "drwxr-xr-x");
  assertEquals(modeOf("other"), "prw-r--r--");
});

Deno.test("ListLineFormatter.format() shows each permission bit", () => {
  assertEquals(modeOf("file", 0o777), "-rwxrwxrwx");
  assertEquals(
    [0o400, 0o200, 0o100, 0o040, 0o020, 0o010, 0o004, 0o002, 0o001].map((mode) => modeOf("file", mode).slice(1)),
    [
      "r--------",
      "-w-------",
      "--x------",
      "---r-----",
      "----w----",
      "-----x---",
      "------r--",
      "-------w-",
      "--------x",
    ],
  );
});

Deno.test("ListLineFormatter.format() shows set-user-ID, set-group-ID and sticky bits", () => {
  assertEquals(modeOf("file", 0o4755), "-rwsr-xr-x");
  assertEquals(modeOf("file", 0o2755), "-rwxr-sr-x");
  assertEquals(modeOf("directory", 0o1777), "drwxrwxrwt");
  assertEquals(modeOf("file", 0o7666), "-rwSrwSrwT");
});

Deno.test("ListLineFormatter.format() shows the hour up to 180 days back, then the year", () => {
  assertEquals(timeOf(NOW), "Nov 22 12:00");
  assertEquals(timeOf(new Date(NOW.getTime() - 180 * DAY_MS)), "May 26 12:00");
  assertEquals(timeOf(new Date(NOW.getTime() - 180 * DAY_MS - 1)), "May 26  2026");
  assertEquals(timeOf(new Date("2020-01-01T00:00:00Z")), "Jan 01  2020");
});

Deno.test("ListLineFormatter.format() shows the year of times to come", () => {
  assertEquals(timeOf(new Date(NOW.getTime() + 1)), "Nov 22  2026");
  assertEquals(timeOf(new Date("2031-12-09T00:00:00Z")), "Dec 09  2031");
});

Deno.test("ListLineFormatter.format() writes four digits of any year, and 1970 for what has none", () => {
  assertEquals(timeOf(new Date("0987-06-05T00:00:00Z")), "Jun 05  0987");
  for (const modified of [new Date(NaN), new Date("+010000-01-01T00:00:00Z"), new Date("-000001-01-01T00:00:00Z")]) {
    assertEquals(timeOf(modified), "Jan 01  1970");
  }
});

Deno.test("ListLineFormatter.format() shows the server's time when asked to", () => {
  const now = new Date(2026, 2, 1, 0, 0, 0);
  const line = formatListLine({ ...FILE, modified: new Date(2026, 1, 28, 23, 59, 0) }, now, { local: true });
  assertEquals(line.slice(-22), "Feb 28 23:59 notes.txt");
});

Deno.test("ListLineFormatter.format() follows the zone of the date, in the year too", () => {
  const modified = new Date("2019-12-31T23:00:00Z");
  modified.getTimezoneOffset = () => -120;
  assertEquals(formatListLine({ ...FILE, modified }, NOW, { local: true }).slice(-22), "Jan 01  2020 notes.txt");
  assertEquals(formatListLine({ ...FILE, modified }, NOW).slice(-22), "Dec 31  2019 notes.txt");
});

Deno.test("ListLineFormatter.format() shows a link by its letter, and where it leads to behind its name", () => {
  const link: ListEntry = { ...FILE, type: "link", mode: 0o777, size: 0, name: "current" };
  assertEquals(
    formatListLine({ ...link, target: "releases/42" }, NOW),
    "lrwxrwxrwx   2 1000     100             0 Nov 02 09:04 current -> releases/42",
  );
  assertEquals(formatListLine(link, NOW).slice(-10), "04 current");
});
