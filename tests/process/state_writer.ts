/**
 * Writes records into a state, and says each number on standard output once it is written; then it waits to be killed.
 *
 * @module
 */

import { SqliteDatabase } from "../../lib/state/sqlite/sqlite_database.ts";
import { SqliteRecords } from "../../lib/state/sqlite/sqlite_records.ts";

const [file = "", count = "0"] = Deno.args;
const database = SqliteDatabase.open(file);
const records = new SqliteRecords(database.db);
const encoder = new TextEncoder();
for (let index = 0; index < Number(count); index++) {
  records.set("test", `${index}`, `value ${index}`);
  Deno.stdout.writeSync(encoder.encode(`${index}\n`));
  await Promise.resolve();
}
await new Promise((resolve) => setTimeout(resolve, 60_000));
