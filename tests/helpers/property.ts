/**
 * Properties: statements about all values of a kind, tried on random ones.
 *
 * @module
 */

import fc from "fast-check";

/** Names of the variables that choose the random values and how many; without them each run takes others. */
const SEED = "FTPSD_TEST_SEED";
const RUNS = "FTPSD_TEST_RUNS";

const DEFAULT_RUNS = 1000;

/**
 * Tries a property on random values.
 *
 * @throws {Error} When it does not hold for one; the message has the smallest such value that was found, and how to get it
 * again.
 */
export function assertProperty<Values>(property: fc.IProperty<Values>): void {
  report(fc.check(property, parameters()));
}

/** The same for a property that takes its time. */
export async function assertAsyncProperty<Values>(property: fc.IAsyncProperty<Values>): Promise<void> {
  report(await fc.check(property, parameters()));
}

function parameters(): { readonly numRuns: number; readonly seed?: number } {
  const seed = numberOf(SEED);
  return { numRuns: numberOf(RUNS) ?? DEFAULT_RUNS, ...seed === undefined ? {} : { seed } };
}

function numberOf(variable: string): number | undefined {
  const text = Deno.env.get(variable);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${variable} must be an integer, not "${text}"`);
  return value;
}

function report<Values>(details: fc.RunDetails<Values>): void {
  if (!details.failed) return;
  throw new Error(`${fc.defaultReportMessage(details)}\n\nThe same values again: ${SEED}=${details.seed}`, {
    cause: details.errorInstance,
  });
}
