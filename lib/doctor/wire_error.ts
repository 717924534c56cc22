/**
 * What can go wrong on a connection to a server that is examined.
 *
 * @module
 */

/** Kind of a failure: no listener; no answer in time; the peer has ended; anything else; more than anybody needs. */
export type WireErrorKind = "refused" | "timeout" | "ended" | "failed" | "tooLarge";

/** A connection that does not do what was asked of it. The message is for people, and says it in a few words. */
export class WireError extends Error {
  override readonly name = "WireError";
  readonly kind: WireErrorKind;

  constructor(kind: WireErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** Most characters of a server's words that are shown. */
const MAX_SHOWN = 160;

// deno-lint-ignore no-control-regex
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/** Words of a server as they may be shown: on one line, without what a terminal would obey, and not too many. */
export function shown(text: string): string {
  const plain = text.replace(CONTROLS, " ").trim();
  return plain.length > MAX_SHOWN ? `${plain.slice(0, MAX_SHOWN)}…` : plain;
}

/** Words for a failure, fit to be shown. */
export function reasonOf(error: unknown): string {
  return shown(error instanceof Error ? error.message : String(error));
}
