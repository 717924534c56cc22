/**
 * From what happens in a server to everybody who wants to know.
 *
 * @module
 */

import { Watchdog } from "../deadline.ts";
import type {
  EventHandlers,
  EventListener,
  ServerEvent,
  ServerEventName,
  ServerEventOf,
  ServerEvents,
} from "../events.ts";
import { describeThrown } from "../thrown.ts";

/** Which events a stream has, and how many of them wait. */
export interface EventStreamOptions<Name extends ServerEventName = ServerEventName> {
  /** Names of the events; absent: all. */
  readonly only?: readonly Name[];
  /**
   * Events that wait for the reader, 1 or more. Those that come when it is full are left out, and `eventsMissed` says so.
   *
   * @default {1024}
   */
  readonly capacity?: number;
}

/** A stream that somebody reads. */
interface Subscription {
  /** Absent: all but those that have to be asked for. */
  readonly names: readonly ServerEventName[] | undefined;
  readonly controller: ReadableStreamDefaultController<ServerEvent>;
  /** Events left out since the last one that was not. */
  missed: number;
}

/** Reports events. No listener can disturb the server, nor another listener. */
export class EventHub {
  readonly #onEvent: EventListener | undefined;
  readonly #handlers: EventHandlers;
  readonly #subscriptions = new Set<Subscription>();
  /** Handlers that have not ended. */
  readonly #running = new Set<Promise<void>>();
  #isClosed = false;

  constructor(listeners: { readonly onEvent?: EventListener | undefined; readonly on?: EventHandlers | undefined }) {
    this.#onEvent = listeners.onEvent;
    this.#handlers = listeners.on ?? {};
  }

  /** Returns whether somebody has asked for an event by its name. */
  isAskedFor(name: ServerEventName): boolean {
    if (this.#handlers[name] !== undefined) return true;
    for (const { names } of this.#subscriptions) if (names?.includes(name)) return true;
    return false;
  }

  /** Reports to everybody; never throws. */
  emit<Name extends ServerEventName>(name: Name, fields: ServerEvents[Name]): void {
    const handler = this.#handlers[name] as EventListener | undefined;
    if (this.#onEvent === undefined && handler === undefined && this.#subscriptions.size === 0) return;
    const event = { event: name, time: new Date(), ...fields } as ServerEvent;
    if (!ASKED_FOR.has(name)) this.#call(name, () => this.#onEvent?.(event));
    if (handler !== undefined) this.#call(name, () => handler(event));
    for (const subscription of this.#subscriptions) if (isWanted(name, subscription)) deliver(subscription, event);
  }

  /**
   * A stream of what happens from now on, which ends with the server.
   *
   * @throws {RangeError} When the capacity is no whole number above 0.
   */
  stream<Name extends ServerEventName>(
    options: EventStreamOptions<Name>,
  ): ReadableStream<ServerEventOf<Name | "eventsMissed">> {
    const { only, capacity = DEFAULT_CAPACITY } = options;
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError(`Cannot keep ${capacity} events: it must be a whole number, 1 or more`);
    }
    const names: readonly ServerEventName[] | undefined = only;
    let subscription: Subscription | undefined;
    const stream = new ReadableStream<ServerEvent>({
      start: (controller) => {
        if (this.#isClosed) return controller.close();
        subscription = { names, controller, missed: 0 };
        this.#subscriptions.add(subscription);
      },
      cancel: () => {
        if (subscription !== undefined) this.#subscriptions.delete(subscription);
      },
    }, { highWaterMark: capacity });
    return stream as ReadableStream<ServerEventOf<Name | "eventsMissed">>;
  }

  /** Ends the streams once their readers have what waits for them. */
  close(): void {
    this.#isClosed = true;
    for (const { controller, missed } of this.#subscriptions) {
      if (missed > 0) controller.enqueue(eventsMissed(missed));
      controller.close();
    }
    this.#subscriptions.clear();
  }

  /** Waits for handlers that have not ended, though not for ever. */
  async handled(timeoutMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    using _deadline = new Watchdog(timeoutMs, () => late.resolve());
    await Promise.race([Promise.all(this.#running), late.promise]);
  }

  #call(name: ServerEventName, listener: () => void | Promise<void>): void {
    try {
      const result: unknown = listener();
      if (!(result instanceof Promise)) return;
      const running = result.catch((cause) => this.#failed(name, cause)).finally(() => this.#running.delete(running));
      this.#running.add(running);
    } catch (cause) {
      this.#failed(name, cause);
    }
  }

  #failed(name: ServerEventName, cause: unknown): void {
    // One that fails at this event, too, would be called about it for ever.
    if (name !== "internalError") {
      this.emit("internalError", { message: `The listener for ${name} failed: ${describeThrown(cause)}`, cause });
    }
  }
}

const DEFAULT_CAPACITY = 1024;

/** Events that are too many for those who want just everything. */
const ASKED_FOR: ReadonlySet<ServerEventName> = new Set(["commandDone"]);

function isWanted(name: ServerEventName, { names }: Subscription): boolean {
  return names?.includes(name) ?? !ASKED_FOR.has(name);
}

/** Hands over an event, or leaves it out. Before the next one that has a place again, their number is reported. */
function deliver(subscription: Subscription, event: ServerEvent): void {
  const { controller, missed } = subscription;
  if ((controller.desiredSize ?? 0) <= 0) {
    subscription.missed++;
    return;
  }
  if (missed > 0) controller.enqueue(eventsMissed(missed));
  subscription.missed = 0;
  controller.enqueue(event);
}

function eventsMissed(count: number): ServerEvent {
  return { event: "eventsMissed", time: new Date(), count };
}
