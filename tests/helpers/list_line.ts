/**
 * Lines of LIST, one at a time.
 *
 * @module
 */

import type { TimeOptions } from "../../lib/protocol/facts.ts";
import { type ListedInfo, ListLineFormatter } from "../../lib/protocol/unix_listing.ts";

/** An entry with all that its line shows. */
export interface ListEntry extends ListedInfo {
  readonly name: string;
  readonly target?: string | undefined;
}

/** Writes the line of an entry that nothing stands before. */
export function formatListLine(entry: ListEntry, now: Date, options: TimeOptions = {}): string {
  return new ListLineFormatter(now, options).format(entry.name, entry, entry.target);
}
