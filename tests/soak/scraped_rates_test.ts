import { assert } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { compareRates } from "./steady_load.ts";

// A short form: `deno run -P=test tests/soak/scraped_rates.ts` does it for five minutes, and wants 1 %.

Deno.test(programTest({
  program: "prometheus",
  name: "Rates that Prometheus has scraped agree with the bytes that clients have counted",
  fn: async () => {
    const rates = await compareRates({ seconds: 8, scrapeSeconds: 1 });
    for (const [direction, { prometheus, clients, deviation }] of Object.entries(rates)) {
      // Of so few seconds, those that a scrape was late for on a busy machine are some percent.
      assert(Math.abs(deviation) < 0.05, `${direction}: ${prometheus} and ${clients}`);
    }
  },
}));
