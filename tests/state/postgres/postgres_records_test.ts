import { assertEquals } from "@std/assert";
import { IS_POSTGRES_ABSENT } from "../../helpers/postgres/test_database.ts";
import { shareDatabase } from "../../helpers/postgres/shared_database.ts";
import { testRecords } from "../records_conformance.ts";

const openEmpty = shareDatabase(["record"]);

testRecords("PostgresRecords", async () => {
  const database = await openEmpty();
  const { records } = await database.join();
  const advance = async (ms: number) => {
    await database.query("UPDATE ftpsd.record SET expires_at = expires_at - $1 * interval '1 ms'", [ms]);
  };
  const clock = { now: Date.now, advance };
  return { records, clock, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}, { ignore: IS_POSTGRES_ABSENT });

Deno.test({
  name: "PostgresRecords are there for another node, and swept when they have expired",
  ignore: IS_POSTGRES_ABSENT,
  async fn() {
    await using database = await openEmpty();
    const [one, two] = await Promise.all([database.join(), database.join()]);
    await one.records.set("s", "a", "1");
    await one.records.set("s", "b", "1", { expiresAt: Date.now() - 1 });
    assertEquals(await two.records.list("s"), [{ key: "a", value: "1" }]);
    await database.query("SELECT ftpsd.tidy(600)");
    assertEquals(await database.query("SELECT count(*) AS n FROM ftpsd.record"), [{ n: "1" }]);
  },
});
