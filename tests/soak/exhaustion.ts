/**
 * Makes the attacks of `tests/soak/attacks.ts`, and prints what each cost.
 *
 * Run as a program: `deno run -P=test tests/soak/exhaustion.ts [PART OF A NAME]`.
 *
 * @module
 */

import { ATTACKS_OF_STRANGERS, ATTACKS_OF_USERS, type Figures, suffer } from "./attacks.ts";
import { median, printRow } from "./figures.ts";

const MIB = 1024 * 1024;

/** One line of the table. */
function format(figures: Figures): readonly string[] {
  const { bytesBefore, bytesAtMost, bytesAfter, commandMs, visitMs, freedMs } = figures;
  return [
    ...[bytesBefore, bytesAtMost, bytesAfter].map((bytes) => `${Math.round(bytes / MIB)}`),
    ...[commandMs, visitMs].flatMap((times) => [median(times), Math.max(...times)].map(milliseconds)),
    (freedMs / 1000).toFixed(1),
  ];
}

function milliseconds(time: number): string {
  return Number.isFinite(time) ? time.toFixed(time < 10 ? 1 : 0) : "-";
}

if (import.meta.main) {
  const [part = ""] = Deno.args;
  const heads = ["MiB before", "at most", "after", "command ms", "at most", "visit ms", "at most", "freed after s"];
  printRow(["clients", "attack", ...heads]);
  for (const attack of [...ATTACKS_OF_STRANGERS, ...ATTACKS_OF_USERS].filter(({ name }) => name.includes(part))) {
    printRow([`${attack.clients}`, attack.name, ...format(await suffer(attack))]);
  }
}
