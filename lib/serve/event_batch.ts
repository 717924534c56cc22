/**
 * The events of one event loop on their way to another.
 *
 * @module
 */

import type { EventListener, ServerEvent, ServerEventName } from "../events.ts";
import { describeThrown } from "../thrown.ts";

/** What an {@linkcode EventBatch} works with. */
export interface EventBatchOptions {
  /** Events that somebody wants; absent: all. */
  readonly names?: readonly ServerEventName[] | undefined;
  /** Takes some events, in order; they can be sent. */
  readonly send: (events: readonly ServerEvent[]) => void;
}

/** Gathers the events of about one turn of the event loop, so that they cost one message. */
export class EventBatch {
  readonly #names: ReadonlySet<ServerEventName> | undefined;
  readonly #send: (events: readonly ServerEvent[]) => void;
  #events: ServerEvent[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ names, send }: EventBatchOptions) {
    this.#names = names && new Set(names);
    this.#send = send;
  }

  /** Adds an event, unless nobody wants it. */
  readonly add: EventListener = (event) => {
    if (this.#names?.has(event.event) === false) return;
    this.#events.push(sendable(event));
    this.#timer ??= setTimeout(() => this.flush(), 0);
  };

  /** Sends what there is now: to be called before anything is sent that must not come before it. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#events.length > 0) this.#send(this.#events.splice(0));
  }
}

/** A cause may be anything, and not all can be sent. */
function sendable(event: ServerEvent): ServerEvent {
  if (event.event !== "internalError" || event.cause === undefined) return event;
  try {
    if (event.cause instanceof Error) return { ...event, cause: structuredClone(event.cause) };
  } catch {
    // One of its own causes cannot.
  }
  return { ...event, cause: describeThrown(event.cause) };
}
