/**
 * From what a configuration says of an account's files to its file system.
 *
 * @module
 */

import { DropBoxFileSystem } from "../filesystem/drop_box/drop_box_filesystem.ts";
import type { FileSystem } from "../filesystem/filesystem.ts";
import type { Mount } from "../filesystem/mounts/mount_table.ts";
import { MountedFileSystem } from "../filesystem/mounts/mounted_filesystem.ts";
import { PatternFileSystem } from "../filesystem/patterns/pattern_filesystem.ts";
import { type AccountSettings, mayWriteIn } from "../settings/account_rights.ts";
import type { Home } from "../settings/forms.ts";
import type { AccountQuotas } from "./account_quotas.ts";

/** Opens a home as a configuration gives it, for an account of the given name. */
export type HomeOpener = (home: Home, account: string) => FileSystem;

/** Where files come from, and what counts them. */
export interface HomeSources {
  readonly openHome: HomeOpener;
  readonly quotas: AccountQuotas;
}

/**
 * Opens the files of an account: its home and mounts, seen through what limits them, from the inside out. What counts bytes
 * stands next to the files; what gives another name stands before what forbids names, so that those of clients are judged.
 *
 * @param name Name of the account.
 */
export function openAccountHome(
  account: AccountSettings,
  name: string,
  { openHome, quotas }: HomeSources,
): FileSystem {
  const { dropBox } = account;
  const root = openHome(account.home, name);
  const mounts = account.mounts.map(({ path, home }): Mount => ({
    path,
    fileSystem: openHome(home, name),
    readOnly: !mayWriteIn(account, path), // a second wall behind the permissions
  }));
  const mounted = mounts.length === 0 ? root : new MountedFileSystem(root, mounts);
  const folders = mounts.map(({ path }) => path);
  const counted = quotas.limit(name, mounted, [
    { home: account.home, fileSystem: root, without: folders },
    ...mounts.flatMap(({ path, fileSystem, readOnly }, index) => {
      const home = account.mounts[index]?.home;
      return readOnly || home === undefined ? [] : [{ home, fileSystem, place: path }]; // others fill what cannot be written
    }),
  ]);
  const boxed = dropBox ? new DropBoxFileSystem(counted, { folders }) : counted;
  const closesNames = account.hide.length > 0 || account.deny.length > 0;
  return closesNames ? new PatternFileSystem(boxed, account) : boxed;
}
