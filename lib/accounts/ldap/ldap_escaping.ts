/**
 * Names in filters and names of entries: RFC 4515 §3 and RFC 4514 §2.4. What is not a letter or a digit of ASCII, or beyond ASCII,
 * is always escaped, so that nobody has to know which characters mean something where.
 *
 * @module
 */

/** Most bytes of a name that a directory is asked for. */
const MAX_NAME_BYTES = 256;
const NAME = "{name}";
const DN = "{dn}";

/** Returns whether a directory can have a name or a password: a text without NUL (RFC 4513 §5.1.3 leaves no other). */
export function isDirectoryText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}

/** Returns whether a name can be that of an entry: neither empty nor very long, and without control characters. */
export function isDirectoryName(name: string): boolean {
  if (name === "" || !isDirectoryText(name) || /\p{Cc}/u.test(name)) return false;
  return new TextEncoder().encode(name).length <= MAX_NAME_BYTES;
}

/** Escapes a value in a filter. */
export function escapeFilterValue(value: string): string {
  return escape(value);
}

/** Escapes a value in the name of an entry: as pairs of hexadecimal digits, so that no space at its ends is lost. */
export function escapeDnValue(value: string): string {
  return escape(value);
}

/** Puts names into a filter. */
export function fillFilter(
  template: string,
  { name, dn = "" }: { readonly name: string; readonly dn?: string },
): string {
  return fill(template, { [NAME]: escapeFilterValue(name), [DN]: escapeFilterValue(dn) });
}

/** Puts a name into the name of an entry, or into `{name}@example.org`, where the escapes are no names of anybody. */
export function fillDn(template: string, name: string): string {
  return fill(template, { [NAME]: escapeDnValue(name) });
}

/** The same in each comparison: lower case, and no spaces beside commas and equals signs. */
export function normalizeDn(dn: string): string {
  return dn.toLowerCase().replace(/\s*([,=+])\s*/g, "$1").trim();
}

function escape(value: string): string {
  return value.replace(/[^A-Za-z0-9\u0080-\u{10ffff}]/gu, (character) => {
    return `\\${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

/** Fills all places at once, so that what is put in is not looked at again. */
function fill(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{name\}|\{dn\}/g, (place) => values[place] ?? place);
}
