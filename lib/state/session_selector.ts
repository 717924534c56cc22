/**
 * Which sessions are meant: one, or all of an account, or all of an address.
 *
 * @module
 */

import { addressBlock } from "../protocol/host_port.ts";

/** Names sessions. */
export type SessionSelector =
  /** The one with an id. */
  | { readonly session: string }
  /** Those that have logged in to an account. */
  | { readonly account: string }
  /** Those that come from an address, of IPv6 from its /64. */
  | { readonly address: string };

/** What of a session decides. */
export interface SelectableSession {
  readonly session: string;
  readonly remote: string;
  readonly username?: string | undefined;
  readonly isLoggedIn: boolean;
}

/** Returns whether a session is meant. */
export function isSelected(
  selector: SessionSelector,
  { session, remote, username, isLoggedIn }: SelectableSession,
): boolean {
  if ("session" in selector) return session === selector.session;
  if ("account" in selector) return isLoggedIn && username === selector.account;
  return addressBlock(hostOf(remote)) === addressBlock(selector.address);
}

/** The address of `address:port` or `[address]:port`. */
function hostOf(remote: string): string {
  return remote.slice(0, remote.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
}

/** Writes a selector in one line, such as `account alice`. */
export function formatSelector(selector: SessionSelector): string {
  const [entry] = Object.entries(selector);
  return entry === undefined ? "" : entry.join(" ");
}

/** Reads what {@linkcode formatSelector} has written; `undefined` for anything else. */
export function parseSelector(text: string): SessionSelector | undefined {
  const [, kind, subject = ""] = /^(session|account|address) (.+)$/s.exec(text) ?? [];
  if (kind === "session") return { session: subject };
  if (kind === "account") return { account: subject };
  return kind === "address" ? { address: subject } : undefined;
}
