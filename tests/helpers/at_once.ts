/**
 * Tries the rows of a table side by side, in one test: for rows that mostly wait.
 *
 * @throws {Error} When some fail; the message names them, the cause is the first one's error.
 */
export async function tryAtOnce<Row extends string>(
  rows: readonly Row[],
  run: (row: Row) => Promise<unknown>,
): Promise<void> {
  const results = await Promise.allSettled(rows.map(run));
  const failed = results.flatMap((result, index) => {
    return result.status === "rejected" ? [{ row: rows[index], cause: result.reason }] : [];
  });
  if (failed.length > 0) throw new Error(failed.map(({ row }) => row).join(", "), { cause: failed[0]?.cause });
}
