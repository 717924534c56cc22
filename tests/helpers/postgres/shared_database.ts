/**
 * One database for all tests of a file.
 *
 * @module
 */

import { IS_POSTGRES_ABSENT, TestDatabase } from "./test_database.ts";

/**
 * Makes a database before the tests of this file, and removes it behind them. To make one takes longer than most tests.
 *
 * @param tables Those that are emptied each time that it is opened, beside those of nodes and what they hold.
 * @returns Opens it; nodes that join leave at the end of its scope.
 */
export function shareDatabase(tables: readonly string[]): () => Promise<TestDatabase> {
  let shared: TestDatabase | undefined;
  if (!IS_POSTGRES_ABSENT) {
    Deno.test.beforeAll(async () => void (shared = await TestDatabase.open()));
    Deno.test.afterAll(async () => await shared?.[Symbol.asyncDispose]());
  }
  const names = ["node", "hold", ...tables].map((name) => `ftpsd.${name}`).join(", ");
  return async () => {
    if (shared === undefined) throw new TypeError("There is no database outside of tests");
    const database = shared.scope();
    await database.query(`TRUNCATE ${names}`);
    return database;
  };
}
