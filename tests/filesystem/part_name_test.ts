import { assert, assertMatch, assertNotEquals } from "@std/assert";
import { createPartName, isPartName } from "../../lib/filesystem/part_name.ts";

Deno.test("createPartName() makes a hidden name, another one each time", () => {
  assertMatch(createPartName(), /^\.ftpsd-[0-9a-z]{8}\.part$/);
  assert(isPartName(createPartName()));
  assertNotEquals(createPartName(), createPartName());
});

Deno.test("isPartName() knows such names alone, in any case, as some systems do not tell them apart", () => {
  for (const name of [".ftpsd-0a1b2c3d.part", ".FTPSD-0A1B2C3D.PART"]) assert(isPartName(name), name);
  const others = ["", ".ftpsd-.part", ".ftpsd-0a1b2c3.part", ".ftpsd-0a1b2c3d4.part", "ftpsd-0a1b2c3d.part"];
  for (const name of [...others, ".ftpsd-0a1b2c3d.part.txt", ".ftpsd-0a1b2c3d.part\n", ".ftpsd-0a1b_c3d.part"]) {
    assert(!isPartName(name), name);
  }
});
