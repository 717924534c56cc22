import { assertGreater } from "@std/assert";
import { HAS_PROC } from "../helpers/process_state.ts";
import { fuzz } from "./fuzz.ts";
import { assertHoldsNoMore } from "./holdings.ts";

const SECONDS = 20;
const reason = HAS_PROC ? "" : " (ignored: only Linux shows what a process holds under /proc)";

Deno.test({
  name: `FtpServer stands ${SECONDS} s of mutated command lines and TLS records, and holds no more afterwards${reason}`,
  ignore: !HAS_PROC,
  fn: async () => {
    const report = await fuzz({ lines: Infinity, seed: 1, longestMs: SECONDS * 1000 });
    assertHoldsNoMore(report);
    // Each line is answered, but those behind the end of a session.
    assertGreater(report.replies, report.lines / 2);
    assertGreater(report.tlsCases, 0);
  },
});
