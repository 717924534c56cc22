/**
 * Configurations written by tests.
 *
 * @module
 */

import { HOOK_EVENTS } from "../../lib/hook_events.ts";
import type { Configuration } from "../../lib/settings/table.ts";
import { ConfigurationError } from "../../lib/settings/finding.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";

/** A line that lets somebody log in, for files that are about something else. */
export const SOMEBODY = "anonymous: { home: pub }\n";

/** Reads a text as the file `/etc/ftpsd/ftpsd.yaml`. */
export function read(text: string): Configuration {
  const resolve = (path: string) => path.startsWith("/") ? path : `/etc/ftpsd/${path}`;
  return readConfiguration(text, { file: "ftpsd.yaml", resolve });
}

/** The lines that tell what is wrong with a text; none where nothing is. */
export function problemsOf(text: string): string[] {
  try {
    read(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.message.split("\n");
  }
}

/** A way as `users[0].limits` into its parts. */
export function parsePath(path: string): (string | number)[] {
  return path.split(/[.[\]]+/).filter((part) => part !== "").map((part) => /^\d+$/.test(part) ? Number(part) : part);
}

/** What stands at a path of a value. */
export function valueAt(value: unknown, path: string): unknown {
  return parsePath(path).reduce<unknown>(
    (whole, part) => (whole as Record<string, unknown> | undefined)?.[part],
    value,
  );
}

/** Keys that must be there beside others, by the list they are in. */
const COMPANIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  users: { name: "alice", password: "secret", home: "/srv/alice" },
  anonymous: { home: "/srv/pub" },
  certificates: { login: "withPassword", match: "[{ subject: 'CN={name}' }]" },
  overrides: { path: "/in", permissions: "lw" },
  mounts: { path: "/shared", home: "/srv/shared" },
  acceptRisks: { risk: "no-close-notify", reason: "old scanner" },
  hooks: { queue: "hooks.db", fileSent: "{ url: 'https://example.org', tokenFile: hook.token }" },
  ...Object.fromEntries(HOOK_EVENTS.map((name) => [name, { url: "https://example.org", tokenFile: "hook.token" }])),
  stores: {
    type: "s3",
    endpoint: "https://s3.example.org",
    bucket: "files",
    accessKeyFile: "s3.id",
    secretKeyFile: "s3.secret",
  },
};
/** The same of a source of accounts with one key: each is of a type. */
function companionsInAccounts(key: string): Readonly<Record<string, string>> {
  if (["type", "urlFile", "query", "ca", "homes"].includes(key)) return { type: "postgres" };
  if (["url", "tokenFile"].includes(key)) {
    return { type: "http", url: "https://intranet.example.org/login", tokenFile: "hook.token" };
  }
  const rest = { type: "ldap", userDn: '"uid={name},dc=x"', home: '"homes/{name}"' };
  if (key === "urls") return rest;
  return { ...rest, url: key === "startTls" ? "ldap://ad.example.org" : "ldaps://ad.example.org" };
}

/** Mappings whose keys are names. */
const NAMED: readonly (string | number | undefined)[] = ["groups", "stores"];

/** Writes a file in block style with a value, in YAML, at a path, and what has to be beside it. */
export function fileWith(path: string, value: string): { readonly text: string; readonly line: number } {
  const lines: string[] = path.startsWith("anonymous") || path.startsWith("users")
    ? []
    : SOMEBODY.trimEnd().split("\n");
  const parts = parsePath(path);
  let line = 0;
  for (const [depth, part] of parts.entries()) {
    const indent = "  ".repeat(depth);
    const isLast = depth === parts.length - 1;
    lines.push(`${indent}${typeof part === "number" ? "-" : `${part}:`}${isLast ? ` ${value}` : ""}`);
    if (isLast) line = lines.length;
    const companions = typeof part === "number" || NAMED.includes(parts[depth - 1])
      ? parts[depth - 1]
      : parts[depth + 1] === 0 || NAMED.includes(part)
      ? undefined
      : part;
    if (isLast || companions === undefined) continue;
    const beside = companions === "accounts" ? companionsInAccounts(String(parts[depth + 1])) : COMPANIONS[companions];
    for (const [key, companion] of Object.entries(beside ?? {})) {
      if (key !== parts[depth + 1]) lines.push(`${indent}  ${key}: ${companion}`);
    }
  }
  return { text: `${lines.join("\n")}\n`, line };
}
