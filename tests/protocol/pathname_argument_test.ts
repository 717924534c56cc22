import { assertEquals } from "@std/assert";
import { locatePathname, type PathnamePlace } from "../../lib/protocol/pathname.ts";

/** Each reading as `argument|pathname`. */
const READINGS: readonly (readonly [place: PathnamePlace, argument: string, ...readings: string[]])[] = [
  ["whole", " a b ", " a b | a b "],
  ["afterFirstWord", "644  a b", "644| a b"],
  ["afterFirstWord", "644", "644|"],
  ["afterFlags", "dir", "dir|dir"],
  ["afterFlags", "-la", "-la|"],
  ["afterFlags", "-La", "-La|"],
  ["afterFlags", "-CF", "-CF|-CF", "-CF|"],
  ["afterFlags", "-a -l dir", "-a -l dir|-a -l dir", "-a -l dir|-l dir", "-a -l dir|dir"],
  ["afterFlags", "-la -foo", "-la -foo|-la -foo", "-la -foo|-foo", "-la -foo|"],
  ["afterFlags", "-la -- -foo", "-la -- -foo|-la -- -foo", "-la -- -foo|-foo"],
  ["afterFlags", "-a -l", "-a -l|-a -l", "-a -l|"],
  [
    "afterFlags",
    "-a -b -c -d -e f",
    ..."-a -b -c -d -e f|-b -c -d -e f|-c -d -e f|-d -e f|f".split("|")
      .map((pathname) => `-a -b -c -d -e f|${pathname}`),
  ],
  ["afterFlags", "-1 -- -x y", "-1 -- -x y|-1 -- -x y", "-1 -- -x y|-x y"],
  ["afterFlags", "-- -x", "-- -x|-- -x", "-- -x|-x"],
  ["afterFlags", "-x.txt", "-x.txt|-x.txt"],
  ["afterFlags", "", "|"],
  ["afterTime", "file", "|file"],
  ["afterTime", "20200101000000", "|20200101000000"],
  ["afterTime", "20200101000000 a b", "|20200101000000 a b", "20200101000000|a b"],
  ["afterTime", "20200101000000 /a/../../b", "20200101000000|/a/../../b"],
  ["afterTime", "20200101000000 /a..b/..c", "|20200101000000 /a..b/..c", "20200101000000|/a..b/..c"],
  ["afterFlags", "-CF ../b", "-CF ../b|-CF ../b", "-CF ../b|../b"],
  ["afterFlags", "-CF /b/../../b", "-CF /b/../../b|/b/../../b"],
  ["beforeRange", "../a 1 2", "1 2|../a"],
  ["afterTime", "2020010100000 a", "|2020010100000 a"],
  ["besideTimes", "202001010000 a b", "202001010000|a b"],
  ["besideTimes", "20200101000000 a", "20200101000000|a"],
  ["besideTimes", "a b 20190101000000 20200101000000 20210101000000 utc", "20200101000000|a b"],
  ["besideTimes", "2020 a", "2020 a|"],
  ["beforeRange", "file", "|file"],
  ["beforeRange", "a 1", "|a 1", "1|a"],
  ["beforeRange", "a 1 20", "|a 1 20", "1 20|a"],
  ["beforeRange", "a 1 2 3", "|a 1 2 3", "2 3|a 1"],
  ["beforeRange", '"a ""b"" 1" 2 3', '|"a ""b"" 1" 2 3', '2 3|a "b" 1'],
  ["beforeRange", '"a', '|"a'],
];

for (const [place, argument, ...readings] of READINGS) {
  Deno.test(`locatePathname() reads "${argument}" as ${place}`, () => {
    assertEquals(locatePathname(argument, place).map((it) => `${it.argument}|${it.pathname}`), readings);
  });
}
