/**
 * Tells programs elsewhere of events: keeps them in the queue, from which each hook delivers its own.
 *
 * @module
 */

import type { EventKeeper, KeptEvent } from "../event_keeper.ts";
import type { ServerEvent } from "../events.ts";
import { FileSystemError } from "../filesystem/filesystem.ts";
import { HOOK_EVENTS, type HookEvent, type HookEventName, isHookEvent, isKeptEvent } from "../hook_events.ts";
import type { HookResult } from "../meter.ts";
import type { Configuration } from "../settings/table.ts";
import type { HookMessage, HookQueue } from "../state/hook_queue.ts";
import { describeThrown } from "../thrown.ts";
import { HookDelivery } from "./hook_delivery.ts";
import { toMessage } from "./hook_message.ts";
import { HookReceiver } from "./hook_receiver.ts";

/** What a configuration says of hooks. */
export type HooksSettings = NonNullable<Configuration["hooks"]>;
/** What it says of one. */
type OneHook = NonNullable<HooksSettings[HookEventName]>;

/** What hooks work with. */
export interface HooksOptions {
  /** Stays the caller's, and is open until the hooks are disposed of. */
  readonly queue: HookQueue;
  readonly log: (level: "info" | "warn" | "error", text: string) => void;
  /** Counts what becomes of events; absent: nobody does. */
  readonly onResult?: ((hook: string, result: HookResult) => void) | undefined;
}

/** What holds from now on. */
export interface HooksConfiguration {
  readonly hooks: HooksSettings;
  /** Name of this server. */
  readonly node: string;
  /** Whether an event is on stable storage before its reply. */
  readonly isSynced: boolean;
  /** Certificates in PEM that receivers may lead up to, by the name of the hook. */
  readonly authorities: Readonly<Record<string, string>>;
}

/** All hooks of a server, in its main event loop. */
export class Hooks implements EventKeeper, AsyncDisposable {
  readonly #options: HooksOptions;
  readonly #deliveries = new Map<HookEventName, { readonly wake: () => void; readonly opened: AsyncDisposableStack }>();
  #current: HooksConfiguration;
  #changing: Promise<void> = Promise.resolve();

  /** Delivers nothing yet. */
  constructor(options: HooksOptions, configuration: HooksConfiguration) {
    this.#options = options;
    this.#current = configuration;
  }

  /** Events that wait, of all hooks. */
  get waiting(): number {
    return this.#options.queue.waiting;
  }

  /** Uses a configuration from now on. What waits stays, and is tried at once where its hook leads now. Never rejects. */
  configure(configuration: HooksConfiguration): Promise<void> {
    this.#current = configuration;
    this.#changing = this.#changing.then(() => this.#replaceDeliveries());
    return this.#changing;
  }

  keep(event: KeptEvent): void {
    const hook = this.#current.hooks[event.event];
    if (hook === undefined || this.#add(event) || !hook.required) return;
    throw new FileSystemError("unavailable", `Cannot keep the event ${event.event} for its hook`);
  }

  /** Takes the events that no reply waits for. Never throws. */
  readonly event = (event: ServerEvent): void => {
    if (!isHookEvent(event) || isKeptEvent(event)) return;
    if (this.#current.hooks[event.event] !== undefined) this.#add(event);
  };

  /** Ends all deliveries. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changing;
    await this.#endDeliveries();
  }

  /** Returns whether an event was put into the queue. One that was not is written to the log whole, and counted. */
  #add(event: HookEvent): boolean {
    const { queue, log, onResult } = this.#options;
    const { hooks: { maxWaiting }, node } = this.#current;
    const message = toMessage(event, node);
    const reason = addTo(queue, message, maxWaiting);
    if (reason === undefined) {
      this.#deliveries.get(event.event)?.wake();
      return true;
    }
    onResult?.(event.event, "lost");
    log("error", `hook ${event.event}: ${reason}; not kept: ${message.body}`);
    return false;
  }

  async #replaceDeliveries(): Promise<void> {
    const { queue, log } = this.#options;
    await this.#endDeliveries();
    const { hooks, isSynced } = this.#current;
    const names = HOOK_EVENTS.filter((name) => hooks[name] !== undefined);
    try {
      queue.setSynced(isSynced ? "full" : "normal");
      queue.retryAll();
      const before = hooks.keepFor === 0 ? 0 : Date.now() - hooks.keepFor * 1000;
      const removed = queue.removeOrphans(names, before);
      if (removed > 0) log("error", `${removed} events of hooks that are no more were given up (hooks.keepFor)`);
      const orphans = queue.orphans(names);
      if (orphans > 0) log("warn", `${orphans} events wait for hooks that are not in the configuration`);
    } catch (error) {
      log("error", `cannot use the queue of hooks: ${describeThrown(error)}`);
    }
    for (const name of names) this.#deliver(name, hooks[name]);
  }

  #deliver(name: HookEventName, hook: OneHook | undefined): void {
    if (hook === undefined) return;
    const { queue, log, onResult } = this.#options;
    const { hooks, authorities } = this.#current;
    const opened = new AsyncDisposableStack();
    const receiver = opened.use(new HookReceiver(hook, { ca: authorities[name] }));
    const delivery = opened.use(
      new HookDelivery({
        hook: name,
        queue,
        receiver,
        keepMs: hooks.keepFor * 1000,
        onResult: (result) => onResult?.(name, result),
        log,
      }),
    );
    this.#deliveries.set(name, { opened, wake: () => delivery.wake() });
  }

  async #endDeliveries(): Promise<void> {
    const ended = [...this.#deliveries.values()];
    this.#deliveries.clear();
    await Promise.all(ended.map(({ opened }) => opened.disposeAsync()));
  }
}

/** Adds a message; returns why it could not be. Each hook has its own room: failed logins of strangers take none from files. */
function addTo(queue: HookQueue, message: HookMessage, maxWaiting: number): string | undefined {
  const waiting = queue.waitingFor(message.hook);
  if (waiting >= maxWaiting) return `${waiting} events wait already (hooks.maxWaiting)`;
  try {
    queue.add(message);
    return undefined;
  } catch (error) {
    return `cannot write the queue: ${describeThrown(error)}`;
  }
}
