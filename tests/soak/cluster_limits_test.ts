import { assertEquals } from "@std/assert";
import { IS_POSTGRES_ABSENT, TestDatabase } from "../helpers/postgres/test_database.ts";
import { faultsOf, proveLimits } from "./cluster/prove_limits.ts";

// A short form: `deno run -P=test tests/soak/cluster_limits.ts` makes 20 runs of 500 logins.

Deno.test({
  name: "120 logins at once over three processes never take a place too many, and a killed one gives its places back",
  ignore: IS_POSTGRES_ABSENT,
  async fn() {
    await using database = await TestDatabase.open();
    const trial = { runs: 2, logins: 120, leaseMs: 3000, hurries: true };
    assertEquals(faultsOf(await proveLimits(database, trial), trial), []);
  },
});
