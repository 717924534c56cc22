/**
 * Patterns of names that an operator closes: the same name must not get past them in another spelling.
 *
 * @module
 */

import { parseWildcard, type Wildcard } from "../../protocol/wildcard.ts";

/** Names in which nothing can be spelled in two ways but by case. */
const PLAIN_REGEXP = /^[\x20-\x7e]*$/;
/** What a system may drop in a name (HFS+), or does not show. */
const INVISIBLE_REGEXP = /\p{Default_Ignorable_Code_Point}/gu;

/** A list of patterns of names. */
export class NamePatterns {
  readonly #patterns: readonly Wildcard[];

  /**
   * Reads patterns: `*` for any characters, `?` for one, `[a-z]` for one of a set and `[!a-z]` for one outside it.
   *
   * @throws {SyntaxError} When a pattern is empty, or has a `/`, CR, LF or NUL: it could match no name.
   */
  constructor(patterns: readonly string[]) {
    const unusable = patterns.find((pattern) => pattern === "" || /[/\r\n\0]/.test(pattern));
    if (unusable !== undefined) {
      throw new SyntaxError(`Cannot use pattern ${JSON.stringify(unusable)}: a name is never like that`);
    }
    this.#patterns = patterns.map((pattern) => parseWildcard(fold(pattern), { dotIsOrdinary: true }));
  }

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /**
   * Returns whether a name matches one of them, in upper or lower case, composed or not, with or without what cannot be seen,
   * and with or without dots and spaces at its end. It takes no more steps than characters of the name times those of all
   * patterns.
   */
  matches(name: string): boolean {
    if (this.isEmpty) return false;
    const folded = fold(name);
    if (this.#matches(folded)) return true;
    const bare = withoutEnd(folded);
    return bare !== folded && this.#matches(bare);
  }

  /** Returns whether a component of a path matches. */
  matchWithin(path: string): boolean {
    return !this.isEmpty && path.split("/").some((name) => name !== "" && this.matches(name));
  }

  #matches(name: string): boolean {
    return this.#patterns.some((pattern) => pattern.matches(name));
  }
}

/**
 * A name without the dots and spaces that a system may drop at its end (Windows). A regular expression would begin anew at each of
 * those before the end: a client chooses how many.
 */
function withoutEnd(name: string): string {
  let end = name.length;
  while (name[end - 1] === "." || name[end - 1] === " ") end--;
  return name.slice(0, end);
}

/** The one spelling of all names that some system takes for the same. Both cases, so that final sigmas and sharp s are one. */
function fold(name: string): string {
  if (PLAIN_REGEXP.test(name)) return name.toUpperCase();
  return name.replace(INVISIBLE_REGEXP, "").normalize("NFC").toLowerCase().toUpperCase().normalize("NFC");
}
