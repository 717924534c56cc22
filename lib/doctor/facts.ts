/**
 * What an examination has found out, without any judgement of it.
 *
 * @module
 */

import type { X509Certificate } from "node:crypto";
import type { TlsVersionName } from "./client_hello.ts";
import type { FtpReply } from "./ftp_client.ts";

/** How a port begins: in clear, with AUTH TLS, or with TLS from the first byte. */
export type TlsMode = "explicit" | "implicit";

/** A server as it was asked for. */
export interface Examination {
  /** Name or address to connect to. */
  readonly host: string;
  readonly port: number;
  /** How the port is said to begin. */
  readonly mode: TlsMode;
  /** Name or address that the certificate has to be for; absent: none is known. */
  readonly name?: string | undefined;
  /** PEM of the authorities that are trusted, in place of the runtime's own. */
  readonly ca?: string | undefined;
  /** Who logs in; absent: nobody. */
  readonly account?: { readonly user: string; readonly password: string } | undefined;
  /** Whether the password may be sent to a server that cannot prove who it is. */
  readonly isInsecure: boolean;
  /** Whether anonymous is tried. */
  readonly triesAnonymous: boolean;
  /** Whether files may be stored; they are removed again. */
  readonly mayUpload: boolean;
  /** Folder of the server to store them in; absent: where the login leads to. */
  readonly folder?: string | undefined;
  /** What PASV should announce, by the server's configuration; absent: the address that is dialled. */
  readonly expectedAddresses?: readonly string[] | undefined;
}

/** How a transfer has ended. */
export interface TransferEnd {
  /** The last reply; absent when none came. */
  readonly reply?: FtpReply | undefined;
  /** What went wrong on our side. */
  readonly failure?: string | undefined;
}

/** A file that was stored and fetched again. */
export interface RoundTrip {
  readonly bytes: number;
  /** Whether the server has taken it. */
  readonly isStored: boolean;
  /** What was wrong; absent when it came back as it was. */
  readonly problem?: string | undefined;
}

/** What is known, by name. */
export interface Facts {
  /** The address that was reached, or why none was. */
  readonly connection: { readonly address: string } | { readonly failure: string };
  /** The first reply, or why there was none. */
  readonly greeting: { readonly reply: FtpReply } | { readonly failure: string };
  /** How the port begins in truth. */
  readonly mode: TlsMode;
  /** Reply to AUTH TLS. */
  readonly authTls: FtpReply;
  /** Reply to USER without TLS. */
  readonly clearUser: FtpReply;
  /** Versions of TLS, and whether the server takes each; one that is missing was not found out. */
  readonly versions: ReadonlyMap<TlsVersionName, boolean>;
  /** Certificates as they were sent, the server's own first. */
  readonly certificates: readonly X509Certificate[];
  /** The handshake of this runtime, and what it has against the certificate; or why there was none. */
  readonly handshake:
    | { readonly protocol: string; readonly cipher: string; readonly problem?: string | undefined }
    | { readonly failure: string };
  /** SHA-256 of the certificate of that handshake. */
  readonly fingerprint: string;
  /** Reply to the login. */
  readonly login: { readonly user: string; readonly reply: FtpReply };
  /** Lines of FEAT, in capitals. */
  readonly features: readonly string[];
  /** Reply to EPSV when it was refused; `true` when it was not. */
  readonly epsv: true | FtpReply;
  /** What PASV has announced, or its reply when it was refused. */
  readonly pasv: { readonly announced: string } | { readonly reply: FtpReply };
  /** Passive ports that were dialled, and why some could not be reached. */
  readonly passivePorts: { readonly tried: readonly number[]; readonly closed: ReadonlyMap<number, string> };
  /** What PORT and EPRT get with an address that is neither the server's nor ours. */
  readonly bounce: readonly TransferEnd[];
  /** A listing with TLS, the session of the control connection offered. */
  readonly listing: TransferEnd;
  /** A listing with TLS and no session offered. */
  readonly freshListing: TransferEnd;
  /** A listing without TLS, in a session with it. */
  readonly clearListing: TransferEnd;
  /** Files stored and fetched. */
  readonly roundTrips: readonly RoundTrip[];
  /** Time of a file that was just stored, as the server tells it, and as it was here. */
  readonly fileTime: { readonly told: Date; readonly stored: Date };
  /** How an upload ended that sent no close_notify. */
  readonly cutUpload: TransferEnd;
  /** Names of files that could not be removed. */
  readonly leftovers: readonly string[];
  /** How anonymous fared: the reply to its login, and how its upload ended. */
  readonly anonymous: { readonly login: FtpReply; readonly upload?: TransferEnd };
  /** Sessions that ended before all was looked at. */
  readonly interruptions: readonly string[];
}

/** Name of a fact. */
export type FactName = keyof Facts;

/** Facts as they come to be known, and why others do not. */
export class Notes {
  readonly #facts: Partial<Facts> = {};
  readonly #reasons = new Map<FactName, string>();

  /** Sets a fact down. */
  note<Name extends FactName>(name: Name, fact: Facts[Name]): void {
    this.#facts[name] = fact;
  }

  /** Says why facts will not be known; what was said first stays. */
  skip(names: readonly FactName[], reason: string): void {
    for (const name of names) if (!this.#reasons.has(name)) this.#reasons.set(name, reason);
  }

  /** A fact, as far as it is known. */
  look<Name extends FactName>(name: Name): Facts[Name] | undefined {
    return this.#facts[name];
  }

  /** Why a fact is not known. */
  reasonFor(name: FactName): string {
    return this.#reasons.get(name) ?? "the session did not get that far";
  }
}
