/**
 * What a real client is to the suite, and what the matrix in docs/clients.md says of it.
 *
 * @module
 */

import type { Protection } from "../helpers/test_server.ts";

/** Where a client finds the server, what it may trust, and where it may keep files of its own. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly protection: Protection;
  /** PEM file of the only certificate to trust; absent: those that the client trusts by itself. */
  readonly caFile: string | undefined;
  /** Whether the client has to use active mode. */
  readonly active: boolean;
  /** Folder of the client, its HOME, where it may write settings. */
  readonly scratch: string;
}

/** TLS versions of the server. */
export type TlsVersion = "TLSv1.2" | "TLSv1.3";

/** What a client can be told to do in a session. */
export type Operation =
  | "list"
  | "get"
  | "put"
  /** Goes on behind the bytes of the local file. */
  | "resumeGet"
  /** Goes on behind the bytes that the server has. */
  | "resumePut"
  | "rename"
  | "mkdir"
  | "rmdir"
  | "delete"
  /** Gets what a pattern of shells matches into a folder; where the pattern names folders, they are in that, too. */
  | "getMatching"
  /** Copies a tree of folders from the server. */
  | "mirrorGet"
  /** Copies a tree of folders to the server. */
  | "mirrorPut"
  /** Gets several files, or pieces of one, at the same time. */
  | "parallel"
  /** Starts to get a file, ends that early, and goes on in the same program. */
  | "abort";

/** One thing to do. */
export interface Step {
  readonly operation: Operation;
  /** Path on the server, relative to its root; empty: the root. */
  readonly remote: string;
  /** Path on the client's side; for `rename` the new path on the server; empty where there is none. */
  readonly other: string;
}

/** Columns of the matrix that say how a client connects. */
export const CONNECTION_COLUMNS = [
  "explicit TLS 1.2",
  "explicit TLS 1.3",
  "implicit TLS 1.2",
  "implicit TLS 1.3",
  "clear",
  "IPv6",
  "active mode",
  "active mode over IPv6",
  "refuses unknown certificates",
  "resumes TLS 1.2 sessions",
  "resumes TLS 1.3 sessions",
] as const;

/** Columns of the matrix that say what a client does. */
export const OPERATION_COLUMNS = [
  "list",
  "get",
  "put",
  "resume get",
  "resume put",
  "rename",
  "mkdir",
  "rmdir",
  "delete",
  "get matching",
  "mirror get",
  "mirror put",
  "parallel",
  "abort",
  "empty files",
  "UTF-8 names",
  "odd names",
] as const;

/** A column of the matrix. */
export type Column = typeof CONNECTION_COLUMNS[number] | typeof OPERATION_COLUMNS[number];

/** Something that a client gets wrong. Its test has to fail in just this way, so that a repaired client is noticed. */
export interface Defect {
  /** What it does, and how that was seen: a sentence for the page. */
  readonly reason: string;
  /** What the failed test says. */
  readonly evidence: RegExp;
  /** It happens now and then only. */
  readonly sometimes?: true;
}

/** A real client. */
export interface RealClient {
  readonly name: string;
  /** Where it comes from, as "Debian: curl" or "npm: basic-ftp". */
  readonly origin: string;
  /** Programs on the PATH, or files, that it needs; none: it is always there. */
  readonly needs: readonly string[];
  /** Its TLS library; absent: it knows no TLS, and is tested in clear. */
  readonly tls?: string;
  /** Which of explicit and implicit TLS it has. */
  readonly protections: readonly Exclude<Protection, "clear">[];
  /** Operations that {@linkcode run} takes. */
  readonly operations: readonly Operation[];
  /** What beside these it has: IPv6, active mode, verification, resumption by each download, names. */
  readonly also: readonly Column[];
  /** What it gets wrong, though it has it. */
  readonly defects?: { readonly [column in Column]?: Defect };
  /** How it says that a certificate is not trusted. */
  readonly distrust?: RegExp;
  /** It never sends close_notify on uploads, and needs a server that does not ask for that. */
  readonly omitsCloseNotify?: true;
  /** Whether it also moves special files over each network, and a file of as many MiB as `FTPSD_TEST_LARGE` says. */
  readonly thorough?: true;
  /** A word on it for the page. */
  readonly remark?: string;
  /** Its version, as major.minor. */
  version(): Promise<string>;
  /**
   * Does the steps, as the user of the test server, in one session if the client can.
   *
   * @returns The names that `list` has shown.
   * @throws {Error} When the client reports a failure.
   */
  run(target: Target, steps: readonly Step[]): Promise<readonly string[]>;
  /**
   * Where somebody has to interrupt it: starts to get `remote` as `local`, stops that once `started` says that it is on
   * its way, and lists the root.
   */
  abort?(target: Target, file: FilePair, started: Promise<unknown>): Promise<readonly string[]>;
}

/** One file to move. */
export interface FilePair {
  /** Path on the client's side. */
  readonly local: string;
  /** Name on the server, in its root. */
  readonly remote: string;
}

/** Returns whether a client has what a column is about, rightly or wrongly. */
export function offers(client: RealClient, column: Column): boolean {
  if (column === "empty files") return true;
  const [first, ...rest] = column.split(" ");
  if (first === "explicit" || first === "implicit") return client.protections.includes(first);
  if (column === "clear") {
    return CONNECTION_COLUMNS.every((other) =>
      !/TLS 1..$/.test(other) || !offers(client, other) || !!client.defects?.[other]
    );
  }
  if (client.also.includes(column) || client.defects?.[column] !== undefined) return true;
  const operation = first + rest.map((word) => word[0]?.toUpperCase() + word.slice(1)).join("");
  return client.operations.some((offered) => offered === operation) || column === "abort" && client.abort !== undefined;
}
