/**
 * What nodes tell each other: bans, sessions to end, accounts that were changed, what a CA asks, and a new certificate.
 *
 * @module
 */

import type { DatabaseConnection } from "./database_connection.ts";

/** Something that all nodes have to know. */
export interface NodeEvent {
  readonly kind: "ban" | "unban" | "kick" | "account" | "recall" | "certificate";
  /** An address, the name of an account, what is about the certificate of all nodes, the key of a quota, or, of a kick, a session selector in one line. */
  readonly subject: string;
  /** Of a ban: how long it still lasts. */
  readonly seconds: number;
}

/** How far back is looked for what was not heard; a node that was away for longer looks at everything anew. */
const LOOK_BACK_S = 120;
/** Most events that are looked at: more than that in so short a time is a change of very many accounts. */
const MAX_POLLED = 5_000;
const MAX_SEEN = 2 * MAX_POLLED;

/** Takes events as they are heard, and those that are found later, each once. */
export class EventFeed {
  readonly #onEvent: (event: NodeEvent) => void;
  readonly #seen = new Set<number>();
  #hasPolled = false;

  constructor(onEvent: (event: NodeEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Takes the text of a notification. Whoever may write to the database may send anything. */
  hear(payload: string): void {
    try {
      const { id, kind, subject, seconds } = JSON.parse(payload);
      if (typeof subject !== "string") return;
      // Of no use later, so it is not in the table.
      if (kind === "recall") this.#onEvent({ kind, subject, seconds: 0 });
      else this.#take(Number(id), { kind, subject, seconds: Number(seconds) });
    } catch {
      // found in the table, if it is there
    }
  }

  /**
   * Looks for what was not heard. What has happened before the first time is passed over.
   *
   * @returns Whether some may have been missed, so that everything is to be looked at anew.
   */
  async poll(connection: DatabaseConnection, timeoutMs: number): Promise<boolean> {
    const rows = await connection.query(
      `SELECT id, kind, subject, seconds - extract(epoch FROM clock_timestamp() - at) AS seconds FROM ftpsd.event
        WHERE at > clock_timestamp() - $1 * interval '1 s' ORDER BY id DESC LIMIT $2`,
      [LOOK_BACK_S, MAX_POLLED],
      timeoutMs,
    );
    const mayMiss = this.#hasPolled && rows.length === MAX_POLLED && !this.#seen.has(Number(rows.at(-1)?.id));
    for (const { id, kind, subject, seconds } of rows.toReversed()) {
      const event = { kind: kind as NodeEvent["kind"], subject: subject ?? "", seconds: Number(seconds) };
      if (this.#hasPolled) this.#take(Number(id), event);
      else this.#seen.add(Number(id));
    }
    this.#hasPolled = true;
    return mayMiss;
  }

  #take(id: number, event: NodeEvent): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const [oldest] = this.#seen;
    if (this.#seen.size > MAX_SEEN && oldest !== undefined) this.#seen.delete(oldest);
    this.#onEvent(event);
  }
}
