/**
 * Names of files that are being uploaded and not in their place yet.
 *
 * They are reserved, whoever may have made a file of such a name: it is neither listed nor reached.
 *
 * @module
 */

const PART_REGEXP = /^\.ftpsd-[0-9a-z]{8}\.part$/i;

/** Makes a name that nothing has. */
export function createPartName(): string {
  const characters = Array.from(
    crypto.getRandomValues(new Uint8Array(8)),
    (byte) => (byte % 36).toString(36),
  );
  return `.ftpsd-${characters.join("")}.part`;
}

/** Returns whether a name is one of those. */
export function isPartName(name: string): boolean {
  return PART_REGEXP.test(name);
}
