/**
 * Patterns of names as shells have them: `*`, `?` and `[…]` of POSIX (XCU §2.13), without classes of characters.
 *
 * Clients send them with NLST, LIST and STAT, which RFC 959 leaves open and servers understand.
 *
 * @module
 */

/** Returns whether a name matches. */
export interface Wildcard {
  /** Steps that one look at a name may take, at most, for each of its characters. */
  readonly stepsPerCharacter: number;
  matches(name: string): boolean;
}

/** Returns whether one character, as a code point, is in a set. */
type CharacterTest = (codePoint: number) => boolean;

/** A pattern that was read: numbers, because a name is compared with them many times. */
interface Tokens {
  /** Code points that stand for themselves, {@linkcode MANY}, {@linkcode ANY}, or an index of `sets` below {@linkcode ANY}. */
  readonly codes: readonly number[];
  readonly sets: readonly CharacterTest[];
}

/** Any number of any characters. */
const MANY = -1;
/** Any one character. */
const ANY = -2;

/** A set that was read, and the index behind its `]`. */
interface ReadSet {
  readonly test: CharacterTest;
  readonly end: number;
}

/** Returns whether a name has characters that a pattern could mean something else by. */
export function hasWildcard(name: string): boolean {
  return /[*?[]/.test(name);
}

/** How a pattern is read. */
export interface WildcardOptions {
  /** Whether a dot at the start of a name is a character as any other. @default {false} */
  readonly dotIsOrdinary?: boolean;
}

/**
 * Reads a pattern. `*` stands for any number of characters, `?` for one, `[a-z]` for one of a set and `[!a-z]` or `[^a-z]`
 * for one outside it; a `[` without its `]` stands for itself, as everything else does. A dot at the start of a name has
 * to be given as such, unless it is ordinary.
 *
 * A name of n characters is compared in no more than n · m steps, whatever the m characters of the pattern are.
 */
export function parseWildcard(pattern: string, { dotIsOrdinary = false }: WildcardOptions = {}): Wildcard {
  const tokens = tokensOf(codePoints(pattern));
  const minLength = tokens.codes.filter((code) => code !== MANY).length;
  const showsHidden = dotIsOrdinary || pattern.startsWith(".");
  return {
    stepsPerCharacter: pattern.length,
    matches(name) {
      if (name.length < minLength || (name.startsWith(".") && !showsHidden)) return false;
      return matchTokens(tokens, codePoints(name));
    },
  };
}

/** Goes back to the last `*` only: what an earlier one could take, the last can take as well. */
function matchTokens({ codes, sets }: Tokens, name: readonly number[]): boolean {
  let at = 0;
  let index = 0;
  let behindMany = -1;
  let taken = 0;
  while (index < name.length) {
    const code = codes[at];
    const character = name[index] ?? 0;
    if (code === character || code === ANY || (code !== undefined && code < ANY && sets[ANY - 1 - code]?.(character))) {
      at++;
      index++;
    } else if (code === MANY) {
      behindMany = ++at;
      taken = index;
    } else if (behindMany >= 0) {
      // Behind the last `*` of the pattern anything may follow.
      if (behindMany === codes.length) return true;
      at = behindMany;
      index = ++taken;
    } else {
      return false;
    }
  }
  return codes.slice(at).every((code) => code === MANY);
}

function tokensOf(pattern: readonly number[]): Tokens {
  const codes: number[] = [];
  const sets: CharacterTest[] = [];
  const lastEnd = pattern.lastIndexOf(SET_END);
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] ?? 0;
    const set = character === SET_START ? readSet(pattern, index + 1, lastEnd) : undefined;
    if (set !== undefined) {
      codes.push(ANY - sets.push(set.test));
      index = set.end - 1;
    } else if (character === STAR) {
      if (codes.at(-1) !== MANY) codes.push(MANY);
    } else {
      codes.push(character === QUESTION_MARK ? ANY : character);
    }
  }
  return { codes, sets };
}

/** Reads what is behind a `[`; `undefined` when there is no end of it. A `]` in first place is a member. */
function readSet(pattern: readonly number[], from: number, lastEnd: number): ReadSet | undefined {
  const isNegated = pattern[from] === EXCLAMATION_MARK || pattern[from] === CARET;
  const first = isNegated ? from + 1 : from;
  if (lastEnd <= first) return undefined;
  const end = pattern.indexOf(SET_END, first + 1);
  const ranges: (readonly [low: number, high: number])[] = [];
  for (let index = first; index < end; index++) {
    const low = pattern[index] ?? 0;
    const isRange = pattern[index + 1] === HYPHEN && index + 2 < end;
    ranges.push([low, isRange ? pattern[index + 2] ?? 0 : low]);
    if (isRange) index += 2;
  }
  const isMember = (codePoint: number) => ranges.some(([low, high]) => low <= codePoint && codePoint <= high);
  return { test: (codePoint) => isMember(codePoint) !== isNegated, end: end + 1 };
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

const STAR = 0x2a;
const QUESTION_MARK = 0x3f;
const SET_START = 0x5b;
const SET_END = 0x5d;
const EXCLAMATION_MARK = 0x21;
const CARET = 0x5e;
const HYPHEN = 0x2d;
