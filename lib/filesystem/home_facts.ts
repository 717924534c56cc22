/**
 * What is known about a folder of the host before it is a home.
 *
 * @module
 */

import { modeBits } from "../mode_bits.ts";

/** What was found out about a home. */
export interface HomeFacts {
  /** Its path as it was given. */
  readonly home: string;
  /** The same without links. */
  readonly realPath: string;
  /** Mode bits; `undefined` where there are none, as on Windows. */
  readonly mode: number | undefined;
}

/** Finds out about a home; `undefined` when it is not there, or Deno does not permit to look at it. */
export function readHomeFacts(home: string): HomeFacts | undefined {
  try {
    return { home, realPath: Deno.realPathSync(home), mode: modeBits(Deno.statSync(home).mode, Deno.build.os) };
  } catch {
    return undefined; // It shows when the home is used.
  }
}
