/**
 * What the settings of a source of accounts mean together.
 *
 * @module
 */

import { errorAt, type Finding } from "./finding.ts";
import type { KeyPath } from "./key_path.ts";
import type { AccountSourceSettings, Configuration } from "./table.ts";

type SourceKey = keyof AccountSourceSettings;

const LDAP_KEYS: readonly SourceKey[] = [
  "url",
  "urls",
  "ca",
  "timeout",
  "remember",
  "startTls",
  "bindDn",
  "bindPasswordFile",
  "userDn",
  "searchBase",
  "searchFilter",
  "nameAttribute",
  "groupBase",
  "groupFilter",
  "groups",
  "home",
  "homeAttribute",
  "homes",
  "permissions",
];

/** The keys that a source of a type may have beside `type`. */
const KEYS: Readonly<Record<AccountSourceSettings["type"], readonly SourceKey[]>> = {
  file: [],
  postgres: ["urlFile", "ca", "query", "homes"],
  http: ["url", "tokenFile", "ca", "timeout", "homes", "remember"],
  ldap: LDAP_KEYS,
};

/** Returns whether sources of a type tell of an account only to who has its password. */
export function checksPasswords(type: AccountSourceSettings["type"] | undefined): boolean {
  return type === "http" || type === "ldap";
}

/** The folder below which homes of its accounts have to be; `undefined` where there may be none on the host. */
export function homesFolderOf({ homes, home }: AccountSourceSettings): string | undefined {
  return homes ?? (home === undefined ? undefined : folderOf(home));
}

/**
 * The home of its accounts, with `{name}` in it, as it is below that folder: a path that is relative to the current folder must not
 * be taken for one below it.
 */
export function homeTemplateOf(settings: AccountSourceSettings): string | undefined {
  const { home } = settings;
  const folder = homesFolderOf(settings);
  const isBelow = folder !== undefined && /^[/\\]/.test(home?.startsWith(folder) ? home.slice(folder.length) : "");
  return isBelow ? home?.slice(folder.length + 1) : home;
}

/** The folder that a home with `{name}` in it is below, whatever the name. */
function folderOf(home: string): string {
  const [fixed = ""] = home.split("{name}");
  return fixed.slice(0, Math.max(fixed.lastIndexOf("/"), fixed.lastIndexOf("\\"), 0));
}

/** The addresses that are asked, in their order. */
export function urlsOf({ url, urls }: AccountSourceSettings): readonly string[] {
  return urls ?? (url === undefined ? [] : [url]);
}

/** What keys of one source exclude or need each other. */
export function* findSourceContradictions(
  source: AccountSourceSettings,
  at: KeyPath,
  { groups, state }: Pick<Configuration, "groups" | "state">,
): Generator<Finding> {
  const { type } = source;
  for (const key of Object.keys(source) as SourceKey[]) {
    const isOf = key === "type" || KEYS[type].includes(key);
    if (!isOf && source[key] !== undefined) yield errorAt([...at, key], `is given, but the type is ${type}`);
  }
  const needs = (key: SourceKey, what: string) => source[key] === undefined ? [errorAt([...at, key], what)] : [];
  if (type === "postgres") {
    if (state.type !== "postgres") yield* needs("urlFile", "is missing; give a file, or use state.type postgres");
    if (source.ca !== undefined) yield* inPostgres(source, at);
  }
  if (type === "http") {
    yield* needs("url", "is missing; give the address of the hook");
    yield* needs("tokenFile", "is missing; give a file with a token that the hook knows");
    if (source.url?.startsWith("ldap")) yield errorAt([...at, "url"], "is that of a directory, but the type is http");
  }
  if (type === "ldap") yield* inDirectory(source, at, groups);
}

function* inPostgres({ urlFile }: AccountSourceSettings, at: KeyPath): Generator<Finding> {
  if (urlFile === undefined) yield errorAt([...at, "ca"], "is given without urlFile; that of the state is state.ca");
}

function* inDirectory(
  source: AccountSourceSettings,
  at: KeyPath,
  groups: Configuration["groups"],
): Generator<Finding> {
  const { url, urls, startTls, ca, bindDn, bindPasswordFile, userDn, searchBase, searchFilter } = source;
  if ((url === undefined) === (urls === undefined)) yield errorAt([...at, "url"], "give either url or urls");
  if (urls?.length === 0) yield errorAt([...at, "urls"], "has no entry; give at least one directory");
  if (url?.startsWith("http")) yield errorAt([...at, "url"], "is that of a hook, but the type is ldap");
  const isClear = urlsOf(source).some((it) => it.startsWith("ldap:"));
  if (startTls && !isClear) yield errorAt([...at, "startTls"], "is given, but TLS is there from the start with ldaps:");
  if (ca !== undefined && isClear && !startTls) {
    yield errorAt([...at, "ca"], "is given, but there is no TLS; give startTls");
  }
  if ((bindDn === undefined) !== (bindPasswordFile === undefined)) {
    yield errorAt([...at, "bindDn"], "give both of bindDn and bindPasswordFile, or none");
  }
  if ((searchBase === undefined) !== (searchFilter === undefined)) {
    yield errorAt([...at, "searchBase"], "give both of searchBase and searchFilter, or none");
  }
  if (userDn === undefined && searchBase === undefined) {
    yield errorAt([...at, "userDn"], "is missing; give it, or searchBase and searchFilter");
  }
  if (searchFilter !== undefined && !searchFilter.includes("{name}")) {
    yield errorAt([...at, "searchFilter"], "has no {name}: it would find the same for everybody");
  }
  if (source.groupFilter !== undefined && source.groupBase === undefined) {
    yield errorAt([...at, "groupFilter"], "is given without groupBase");
  }
  if (source.groupBase !== undefined && source.groups === undefined) {
    yield errorAt([...at, "groupBase"], "is given without groups, which say what they mean here");
  }
  yield* inHomes(source, at);
  const names = Object.keys(groups);
  for (const [index, { group }] of (source.groups ?? []).entries()) {
    if (names.includes(group)) continue;
    const known = names.length === 0 ? "there are none" : `known are ${names.join(", ")}`;
    yield errorAt([...at, "groups", index, "group"], `${JSON.stringify(group)} is not one of groups; ${known}`);
  }
}

function* inHomes({ home, homeAttribute, homes }: AccountSourceSettings, at: KeyPath): Generator<Finding> {
  if (home === undefined && homeAttribute === undefined) {
    yield errorAt([...at, "home"], "is missing; give a folder such as /srv/ftp/{name}, or homeAttribute and homes");
  }
  if (home !== undefined && folderOf(home) === "") {
    yield errorAt([...at, "home"], "is at the root of the file system; put homes into a folder of their own");
  }
  if (homeAttribute !== undefined && homes === undefined) {
    yield errorAt([...at, "homes"], "is missing; homeAttribute needs a folder below which homes have to be");
  }
}
