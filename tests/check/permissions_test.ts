import { assert } from "@std/assert";
import { PROGRAM_FOLDER } from "../../lib/check/permissions.ts";

Deno.test("PROGRAM_FOLDER holds all modules of the program, which workers load", () => {
  for (const module of ["main.ts", "lib/serve/worker_program.ts", "lib/protocol/reply.ts", "deno.json"]) {
    assert(Deno.statSync(`${PROGRAM_FOLDER}/${module}`).isFile, module);
  }
});
