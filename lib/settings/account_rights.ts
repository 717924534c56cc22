/**
 * What an account of a configuration may do, and where its files are.
 *
 * @module
 */

import { hasWritePermission, type PermissionOverride } from "../accounts/permission.ts";
import { isWithin } from "../protocol/pathname.ts";
import type { Home } from "./forms.ts";
import type { KeyPath } from "./key_path.ts";
import type { AnonymousSettings, UserSettings } from "./table.ts";

/** An account of a configuration. */
export type AccountSettings = UserSettings | AnonymousSettings;

/** Letters of an account, and those for parts of its tree. */
export interface AccountPermissions {
  readonly permissions: string;
  readonly overrides: readonly PermissionOverride[];
}

/** What is needed to bring files, and to look where there is nothing to see: clients list a folder before they use it. */
const DROP_BOX_PERMISSIONS = "elw";

/** Returns the rights of an account: those of a mount hold there and below, unless an override says otherwise. */
export function permissionsOf({ permissions, overrides, mounts, dropBox }: AccountSettings): AccountPermissions {
  if (dropBox) return { permissions: DROP_BOX_PERMISSIONS, overrides: [] };
  const ofMounts = mounts.flatMap(({ path, permissions }) =>
    permissions === undefined ? [] : [{ path, permissions, recursive: true }]
  );
  // Of two for one path the last holds
  return { permissions, overrides: [...ofMounts, ...overrides] };
}

/** A home of an account, the mounts among them. */
export interface PlacedHome {
  readonly home: Home;
  /** Its key, from that of the account on. */
  readonly key: KeyPath;
  /** Where it is in the account's tree. */
  readonly place: string;
}

/** Returns all homes of an account: its own first, then those of its mounts. */
export function homesOf({ home, mounts }: AccountSettings): PlacedHome[] {
  return [
    { home, key: ["home"], place: "/" },
    ...mounts.map((mount, index) => ({ home: mount.home, key: ["mounts", index, "home"], place: mount.path })),
  ];
}

/** Returns the letters that hold at the root of a home, and those that hold anywhere in it. */
export function lettersIn(
  account: AccountSettings,
  place: string,
): { readonly atRoot: string; readonly anywhere: readonly string[] } {
  const { permissions, overrides } = permissionsOf(account);
  const points = account.mounts.map(({ path }) => path);
  const isInMount = (path: string) =>
    points.some((point) => point !== place && isWithin(place, point) && isWithin(point, path));
  const inside = overrides.filter(({ path }) => isWithin(place, path) && !isInMount(path));
  const around = overrides.filter(({ path, recursive }) => recursive === true && isWithin(path, place));
  const atRoot = around.toSorted((one, other) => other.path.length - one.path.length)[0]?.permissions ?? permissions;
  return { atRoot, anywhere: [atRoot, ...inside.map((override) => override.permissions)] };
}

/** Returns whether an account may write in a home. */
export function mayWriteIn(account: AccountSettings, place: string): boolean {
  return lettersIn(account, place).anywhere.some(hasWritePermission);
}
