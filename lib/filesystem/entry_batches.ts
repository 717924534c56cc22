/**
 * Listings that go from layer to layer in batches: a step for each entry of a large directory through every layer costs as
 * much as looking the entry up.
 *
 * @module
 */

/**
 * Entries of a listing, already checked; one by one to whoever knows of no batches. Made only by the file systems of this
 * package and by what guards the others. It can be gone through once.
 */
export class EntryBatches<Entry> implements AsyncIterable<Entry> {
  /** The entries, so many at once as are made without letting other sessions go first. */
  readonly batches: AsyncGenerator<readonly Entry[], void, undefined>;

  /** Takes over a generator, which is ended when a loop over the entries or the batches is. */
  constructor(batches: AsyncGenerator<readonly Entry[], void, undefined>) {
    this.batches = batches;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Entry, void, undefined> {
    for await (const batch of this.batches) yield* batch;
  }
}

/** The batches of a listing; of one that has none, each entry is a batch. */
export function batchesOf<Entry>(
  entries: AsyncIterable<Entry> | Iterable<Entry>,
): AsyncIterable<readonly Entry[]> | Iterable<readonly Entry[]> {
  if (entries instanceof EntryBatches) return entries.batches;
  return Symbol.asyncIterator in entries ? eachAlone(entries) : [[...entries]];
}

async function* eachAlone<Entry>(entries: AsyncIterable<Entry>): AsyncGenerator<readonly Entry[], void, undefined> {
  for await (const entry of entries) yield [entry];
}
