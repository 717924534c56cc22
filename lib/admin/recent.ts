/**
 * What went wrong last: refusals, failed logins and interrupted transfers, for who asks why somebody cannot connect.
 *
 * @module
 */

import type { EventListener, ServerEvent, ServerEventName } from "../events.ts";

/** One of them. */
export interface Incident {
  readonly time: Date;
  /** Name of the event. */
  readonly event:
    | "banned"
    | "certificateRenewalFailed"
    | "commandRefused"
    | "connectionRefused"
    | "internalError"
    | "loginFailed"
    | "transferIncomplete";
  readonly session?: string | undefined;
  readonly remote?: string | undefined;
  readonly username?: string | undefined;
  /** What has happened, in one line. */
  readonly text: string;
  /** Code of the reply. */
  readonly code?: number;
}

/** Events that it takes. */
export const INCIDENT_EVENTS: readonly ServerEventName[] = [
  "banned",
  "certificateRenewalFailed",
  "commandRefused",
  "connectionRefused",
  "internalError",
  "loginFailed",
  "transferIncomplete",
];

const MAX_INCIDENTS = 500;
/** Most characters that are kept of a text that a client may have chosen: the log has all. */
const MAX_TEXT = 500;

/** The last of them, the newest at the end. */
export class RecentIncidents {
  readonly #incidents: Incident[] = [];
  #count = 0;

  /** Takes an event; of others than {@linkcode INCIDENT_EVENTS} nothing is kept. */
  readonly take: EventListener = (event) => {
    const incident = incidentOf(event);
    if (incident === undefined) return;
    this.#count++;
    const { text, username } = incident;
    this.#incidents.push({ ...incident, text: shortened(text), username: username && shortened(username) });
    if (this.#incidents.length > MAX_INCIDENTS) this.#incidents.shift();
  };

  /** How many there were in all. */
  get count(): number {
    return this.#count;
  }

  /** Returns the last ones that came behind so many, and at most so many. */
  since(count: number, most: number = MAX_INCIDENTS): readonly Incident[] {
    const fresh = Math.min(this.#count - count, this.#incidents.length, most);
    return fresh <= 0 ? [] : this.#incidents.slice(-fresh);
  }
}

function incidentOf(event: ServerEvent): Incident | undefined {
  const { time } = event;
  switch (event.event) {
    case "banned":
      return { time, event: event.event, remote: event.address, text: `banned for ${event.seconds} s` };
    case "certificateRenewalFailed":
      return { time, event: event.event, text: `no certificate: ${event.reason}` };
    case "connectionRefused":
      return { time, event: event.event, remote: event.remote, text: event.reason };
    case "internalError":
      return { time, event: event.event, session: event.session, text: event.message };
    case "loginFailed":
      return { time, event: event.event, ...whoOf(event), text: event.reason ?? "login failed" };
    case "commandRefused": {
      const command = `${event.command}${event.argument ? ` ${event.argument}` : ""}`;
      return { time, event: event.event, ...whoOf(event), text: `${command}: ${event.reply}`, code: event.code };
    }
    case "transferIncomplete": {
      const { command, path, bytes, reason } = event;
      return { time, event: event.event, ...whoOf(event), text: `${command} ${path} after ${bytes} bytes: ${reason}` };
    }
    default:
      return undefined;
  }
}

function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function whoOf({ session, remote, username }: { session: string; remote: string; username?: string | undefined }) {
  return { session, remote, username };
}
