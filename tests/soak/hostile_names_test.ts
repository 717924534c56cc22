import { assertEquals, assertGreater } from "@std/assert";
import { IS_POSTGRES_ABSENT } from "../helpers/postgres/test_database.ts";
import { IS_SLAPD_ABSENT } from "../helpers/slapd.ts";
import { makeNames, tryDatabase, tryDirectory } from "./hostile_names.ts";

const NAMES = makeNames(800, 1);

for (
  const [what, ignore, run] of [
    ["LdapAccounts", IS_SLAPD_ABSENT, tryDirectory],
    ["PostgresAccounts", IS_POSTGRES_ABSENT, tryDatabase],
  ] as const
) {
  Deno.test({
    name: `${what} finds no entry of another name by ${NAMES.length} hostile ones`,
    ignore,
    fn: async () => {
      const { wrong, same } = await run(NAMES);
      assertEquals(wrong, []);
      assertGreater(same, 0); // it has been asked
    },
  });
}
