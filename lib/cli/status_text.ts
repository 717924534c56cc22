/**
 * Who is connected and what is being transferred, as lines for people.
 *
 * @module
 */

import type { SessionInfo } from "../session/session.ts";

/** Describes sessions: how many there are, and then each of them, the oldest first. */
export function describeSessions(sessions: readonly SessionInfo[], now: Date): string[] {
  const transfers = sessions.filter(({ transfer }) => transfer !== undefined).length;
  const oldestFirst = sessions.toSorted((one, other) => one.since.getTime() - other.since.getTime());
  return [
    `${counted(sessions.length, "session")}, ${counted(transfers, "transfer")}`,
    ...oldestFirst.map((session) => describeSession(session, now)),
  ];
}

function describeSession(info: SessionInfo, now: Date): string {
  const { session, remote, username, isLoggedIn, tls, since, transfer } = info;
  const seconds = Math.max(0, Math.round((now.getTime() - since.getTime()) / 1000));
  const facts = [
    `session ${session}`,
    tls ?? "in clear",
    `for ${seconds} s`,
    ...isLoggedIn ? [] : ["not logged in"],
    ...transfer === undefined
      ? []
      : [`${transfer.command} ${transfer.path} bytes=${transfer.bytes} seconds=${transfer.seconds.toFixed(3)}`],
  ];
  return `${remote}-[${username ?? ""}] ${facts.join(", ")}`;
}

function counted(count: number, what: string): string {
  return `${count === 0 ? "no" : count} ${what}${count === 1 ? "" : "s"}`;
}
