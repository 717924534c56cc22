/**
 * The quotas of a configuration's accounts.
 *
 * @module
 */

import { ANONYMOUS } from "../accounts/permission.ts";
import type { FileClaims } from "../filesystem/file_claims.ts";
import type { FileSystem } from "../filesystem/filesystem.ts";
import { CountedParts } from "../filesystem/quota/counted_parts.ts";
import { withQuota } from "../filesystem/quota/quota_filesystem.ts";
import type { FileLocator } from "../filesystem/quota/quota_claims.ts";
import { type CountedFiles, QuotaLedger, type QuotaScope } from "../filesystem/quota/quota_ledger.ts";
import { WriteClaims } from "../filesystem/write_claims.ts";
import { homesOf, mayWriteIn } from "../settings/account_rights.ts";
import type { Home } from "../settings/forms.ts";
import type { Configuration } from "../settings/table.ts";
import { MemoryRecords } from "../state/memory_records.ts";
import type { Quota, QuotaAmount } from "../state/quotas.ts";
import type { StateRecords } from "../state/records.ts";
import { createTableMemory, SharedTable } from "../state/shared_table.ts";
import { TableQuotaCounts } from "../state/table_quotas.ts";

/** What the files of all accounts of a server share. */
export interface AccountServices {
  /** Who writes what. */
  readonly claims: FileClaims;
  /** What is known of files beyond a session. */
  readonly records: StateRecords;
  /** How much accounts and groups have stored. */
  readonly quotas: QuotaLedger;
}

/** Makes services that one event loop has in memory. */
export function createServices(claims: FileClaims = new WriteClaims()): AccountServices {
  const counts = new TableQuotaCounts(new SharedTable(createTableMemory(1 << 10)));
  return { claims, records: new MemoryRecords(), quotas: new QuotaLedger(counts) };
}

/** A home of an account that counts under its quotas. */
export interface CountedHome {
  readonly home: Home;
  readonly fileSystem: FileSystem;
  /** Virtual path of its root. @default {"/"} */
  readonly place?: string;
  /** Directories in it that other homes hide. */
  readonly without?: readonly string[];
}

/** The quotas that a configuration has, by the names of its accounts. */
export class AccountQuotas {
  readonly #configuration: Configuration;
  readonly #services: AccountServices;
  /** What counts of each account that a quota holds for. */
  readonly #files = new Map<string, readonly (CountedFiles & { readonly home: Home })[]>();

  constructor(configuration: Configuration, services: AccountServices) {
    this.#configuration = configuration;
    this.#services = services;
  }

  /**
   * Lets files of an account count; those without a quota stay as they are.
   *
   * @param fileSystem All of them, under one root.
   * @param homes What they consist of, but for those that the account may not write in.
   */
  limit(account: string, fileSystem: FileSystem, homes: readonly CountedHome[]): FileSystem {
    const quotas = quotasOf(this.#configuration, account);
    if (quotas.length === 0) return fileSystem;
    const { records, claims, quotas: ledger } = this.#services;
    const kept = new CountedParts(fileSystem, records, account);
    const counted = homes.map((home, index) =>
      index === 0 ? { ...home, kept: (options: { signal: AbortSignal }) => kept.total(options) } : home
    );
    this.#files.set(account, counted);
    const scopes = quotas.map(({ members, ...quota }): QuotaScope => ({
      ...quota,
      files: () => this.#filesOf(members),
    }));
    return withQuota(fileSystem, { ledger, scopes, claims, records, account, locate: locatorOf(fileSystem, homes) });
  }

  /** What counts of several accounts. */
  #filesOf(members: readonly string[]): CountedFiles[] {
    const all = members.flatMap((member) => this.#files.get(member) ?? []);
    return all.map(({ home: _, ...files }, index) => ({
      ...files,
      isCountedElsewhere: isCountedElsewhere(all, index),
    }));
  }
}

/** Homes of accounts that count under a quota of theirs, each folder once; not those that they may not write in. */
export function distinctHomes(
  { users, anonymous }: Configuration,
  members: readonly string[],
): Omit<CountedHome, "fileSystem">[] {
  const accounts = [...users, ...anonymous === undefined ? [] : [{ ...anonymous, name: ANONYMOUS }]];
  const homes = accounts.filter(({ name }) => members.includes(name)).flatMap((account) =>
    homesOf(account).filter(({ place }) => place === "/" || mayWriteIn(account, place))
      .map(({ home, place }) => ({ home, without: place === "/" ? account.mounts.map(({ path }) => path) : [] }))
  );
  return homes.filter((_, index) => !isCountedElsewhere(homes, index));
}

/** Returns whether another home has all that one has; of two that are the same the first counts. */
function isCountedElsewhere(homes: readonly { readonly home: Home }[], index: number): boolean {
  const { home } = homes[index] ?? {};
  return home !== undefined &&
    homes.some((other, place) =>
      place !== index && contains(other.home, home) && (place < index || !contains(home, other.home))
    );
}

/** Finds the home of a path, the same for all accounts that have it. What none of them may write in has no home here. */
function locatorOf(all: FileSystem, homes: readonly CountedHome[]): FileLocator {
  const deepestFirst = homes.toSorted((one, other) => (other.place ?? "/").length - (one.place ?? "/").length);
  return (path) => {
    const found = deepestFirst.find(({ place = "/" }) => isBelow(path, place));
    if (found === undefined) return { fileSystem: all, path };
    const { home, fileSystem, place = "/" } = found;
    const inner = place === "/" ? path : path.slice(place.length) || "/";
    if (typeof home === "string") return { fileSystem, path: inner };
    const [root, below] = [home.path, inner].map((part) => part.replace(/\/$/, ""));
    return { fileSystem, path: inner, name: `${home.store}\0${root}${below}` };
  };
}

/** A quota and the accounts that it is for. */
export interface ConfiguredQuota extends Quota {
  readonly members: readonly string[];
}

/** All quotas of a configuration. */
export function allQuotas({ users, anonymous, groups }: Configuration): ConfiguredQuota[] {
  return [
    ...users.map(({ name, quota }) => ({ name: `user ${name}`, limits: quota, members: [name] })),
    ...anonymous === undefined ? [] : [{ name: ANONYMOUS, limits: anonymous.quota, members: [ANONYMOUS] }],
    ...Object.entries(groups).map(([group, { quota }]) => ({
      name: `group ${group}`,
      limits: quota,
      members: users.filter((user) => user.groups.includes(group)).map(({ name }) => name),
    })),
  ].filter(({ limits }) => isLimit(limits));
}

function quotasOf(configuration: Configuration, account: string): ConfiguredQuota[] {
  return allQuotas(configuration).filter(({ members }) => members.includes(account));
}

function isLimit({ bytes, files }: QuotaAmount): boolean {
  return bytes > 0 || files > 0;
}

/** Returns whether a home has all that another has. */
function contains(outer: Home, inner: Home): boolean {
  if (typeof outer === "string" || typeof inner === "string") {
    return typeof outer === "string" && typeof inner === "string" && isBelow(inner, outer);
  }
  return outer.store === inner.store && isBelow(inner.path, outer.path);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(/[/\\]$/.test(folder) ? folder : `${folder}/`);
}
