/**
 * Doing the same for many, some at once.
 *
 * @module
 */

/**
 * Does something for each item, `count` at once. After a failure nothing more is begun, and it rejects when what is under way has
 * ended.
 */
export async function atOnce<Item>(
  count: number,
  items: readonly Item[],
  run: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items.values();
  const failures: unknown[] = [];
  const work = async () => {
    for (const item of rest) {
      try {
        await run(item);
      } catch (error) {
        failures.push(error);
      }
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, work));
  if (failures.length > 0) throw failures[0];
}
