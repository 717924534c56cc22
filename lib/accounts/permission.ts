/**
 * Permission letters, as pyftpdlib's users know them.
 *
 * @module
 */

/**
 * One right of an account:
 *
 * | letter | right | commands |
 * | --- | --- | --- |
 * | `e` | enter directories | CWD CDUP |
 * | `l` | list | LIST NLST MLSD MLST STAT SIZE MDTM |
 * | `r` | read files | RETR HASH XCRC XMD5 XSHA1 XSHA256 XSHA512 |
 * | `a` | append to files | APPE |
 * | `d` | delete files and directories | DELE RMD |
 * | `f` | rename | RNFR RNTO |
 * | `m` | make directories | MKD |
 * | `w` | store files | STOR STOU AVBL |
 * | `M` | change permission bits | SITE CHMOD, SITE UMASK, MFF |
 * | `T` | change times | MFMT, MDTM with a time, SITE UTIME, MFF |
 */
export type PermissionLetter = "e" | "l" | "r" | "a" | "d" | "f" | "m" | "w" | "M" | "T";

/** The letters that change nothing. */
export const READ_PERMISSIONS = "elr";

/** The letters that change something. */
export const WRITE_PERMISSIONS = "adfmwMT";

/** All letters. */
export const ALL_PERMISSIONS: string = READ_PERMISSIONS + WRITE_PERMISSIONS;

/**
 * Checks that every character is a permission letter.
 *
 * @throws {SyntaxError} When one is not.
 */
export function assertPermissions(letters: string): void {
  for (const letter of letters) {
    if (!ALL_PERMISSIONS.includes(letter)) {
      throw new SyntaxError(`Cannot use permissions "${letters}": "${letter}" is not one of ${ALL_PERMISSIONS}`);
    }
  }
}

/** Returns whether any of the letters can change something. */
export function hasWritePermission(letters: string): boolean {
  return [...letters].some((letter) => WRITE_PERMISSIONS.includes(letter));
}
