/**
 * Lets a real Prometheus scrape a server while clients move files at a steady pace, and compares its rates with what the clients have
 * counted. Five minutes, or so many seconds as are given.
 *
 * `deno run -P=test tests/soak/scraped_rates.ts [SECONDS]`
 *
 * @module
 */

import { print } from "./figures.ts";
import { compareRates } from "./steady_load.ts";

const [seconds = 300] = Deno.args.map(Number);
const rates = await compareRates({ seconds, scrapeSeconds: seconds < 60 ? 1 : 5 });
print(JSON.stringify(rates, null, 2));
Deno.exit(Object.values(rates).every(({ deviation }) => Math.abs(deviation) < 0.01) ? 0 : 1);
