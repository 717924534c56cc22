import { assertEquals } from "@std/assert";
import { FactFormatter, type FactInfo } from "../../lib/protocol/fact_formatter.ts";
import { FACT_NAMES } from "../../lib/protocol/facts.ts";

const FILE: FactInfo = {
  type: "file",
  size: 17,
  modified: new Date("2026-11-22T09:04:05Z"),
  unique: "fg1",
  mode: 0o644,
  uid: 1000,
  gid: 100,
};

Deno.test("FactFormatter.format() sorts by name", () => {
  assertEquals(
    new FactFormatter("elr", FACT_NAMES).format(FILE),
    "modify=20261122090405;perm=r;size=17;type=file;unique=fg1;unix.gid=100;unix.mode=0644;unix.uid=1000;",
  );
});

Deno.test("FactFormatter.format() writes the selected facts only, whatever their order", () => {
  assertEquals(
    new FactFormatter("elr", ["type", "unix.uid", "size"]).format(FILE),
    "size=17;type=file;unix.uid=1000;",
  );
  assertEquals(new FactFormatter("elr", []).format(FILE), "");
});

Deno.test("FactFormatter.format() leaves out what is not known, and keeps empty values", () => {
  const formatter = new FactFormatter("", FACT_NAMES);
  assertEquals(formatter.format({ type: "directory", size: 0 }), "perm=;size=0;type=dir;");
  assertEquals(formatter.format({ type: "file", size: 0, modified: new Date(NaN) }), "perm=;size=0;type=file;");
});

Deno.test("FactFormatter.format() has a name for each type, and for the directory that is listed", () => {
  const formatter = new FactFormatter("el", ["type"]);
  const types = (["file", "directory", "link", "other"] as const).map((type) => formatter.format({ type, size: 0 }));
  assertEquals(types, ["type=file;", "type=dir;", "type=OS.unix=slink;", "type=OS.unix=special;"]);
  assertEquals(formatter.format({ type: "directory", size: 0 }, { isListed: true }), "type=cdir;");
});
