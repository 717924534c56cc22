import { assertEquals, assertGreater } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { runAttack } from "./containment.ts";
import { ATTACKS } from "./containment_attacks.ts";

// Others have no such call, or by another name
const IS_LINUX = Deno.build.os === "linux";
const reason = IS_LINUX ? "" : " (ignored: only Linux has renameat2)";

for (const attack of ATTACKS.filter(({ mayEscape }) => !mayEscape)) {
  const test = programTest({
    program: "python3",
    name: `${attack.name} does not leave the home while a folder and a link are swapped${reason}`,
    fn: async () => {
      const options = { operations: 120, swaps: 0, deadlineMs: 5000, seed: 1 };
      const constant = await runAttack(attack, { ...options, pattern: "constant" });
      assertEquals([constant.contents, constant.effects], [0, 0]);
      const rare = await runAttack(attack, { ...options, pattern: "rare" });
      assertEquals([rare.contents, rare.effects], [0, 0]);
      assertGreater(rare.done, 0);
      assertGreater(constant.swaps, 0);
    },
  });
  Deno.test(IS_LINUX ? test : { ...test, ignore: true });
}
