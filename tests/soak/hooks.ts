/**
 * Uploads 10,000 files to a server that is killed five times, while the receiver of its hook is away for a minute, and checks
 * that each was told, in order, with duplicates under the same id only.
 *
 * `deno run -P=test tests/soak/hooks.ts [UPLOADS] [KILLS] [SECONDS AWAY]`
 *
 * @module
 */

import { print } from "./figures.ts";
import { playToldUploads } from "./told_uploads.ts";

const [uploads = 10_000, kills = 5, seconds = 60] = Deno.args.map(Number);
const result = await playToldUploads({ uploads, kills, awayMs: seconds * 1000 });
const { missing, outOfOrder, excess, wrong, ...figures } = result;
const faults = { missing, outOfOrder, excess, wrong };
const counts = Object.entries(faults).map(([name, list]) => [name, list.length]);
print(JSON.stringify({ ...figures, ...Object.fromEntries(counts) }, null, 2));
const isGood = result.acknowledged === uploads &&
  Object.values(faults).every(({ length }) => length === 0);
Deno.exit(isGood ? 0 : 1);
