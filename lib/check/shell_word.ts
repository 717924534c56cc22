/**
 * Words for a POSIX shell, in lines that are there to be pasted.
 *
 * @module
 */

/** Quotes a word where the shell would read more into it than it says. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
