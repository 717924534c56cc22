/**
 * The port of what waits to be told to hooks.
 *
 * @module
 */

/** An event on its way to a hook. */
export interface HookMessage {
  /** The same at each attempt. */
  readonly id: string;
  /** Name of the hook. */
  readonly hook: string;
  /** Messages of a hook with the same one follow each other, in the order in which they came. */
  readonly lane: string;
  /** What is sent. */
  readonly body: string;
}

/** A message in the queue. */
export interface QueuedMessage extends HookMessage {
  /** Its number: later ones have higher ones. */
  readonly sequence: number;
  /** When it came, in milliseconds since 1970. */
  readonly queuedAt: number;
  /** How often it was tried in vain. */
  readonly attempts: number;
}

/**
 * Keeps messages until they are told. Times are those of `performance.now()`, which no change of the clock moves; none outlives the
 * process, so that everything is tried again soon after a start. Every call is synchronous, and throws what the file throws.
 */
export interface HookQueue {
  /** How many messages wait. */
  readonly waiting: number;
  /** How many of them are for one hook. */
  waitingFor(hook: string): number;
  /** Adds a message; it is kept when this returns. */
  add(message: HookMessage): void;
  /** Messages of a hook that are due and the first of their lanes, the oldest first. */
  due(hook: string, now: number, limit: number): QueuedMessage[];
  /** When the next one is due that is not yet; `undefined` where none is. */
  nextDue(hook: string, now: number): number | undefined;
  /** Forgets a message that was told, or given up; the next one of its lane is due at once. */
  remove(message: QueuedMessage): void;
  /** Puts a message off. */
  postpone(message: QueuedMessage, until: number): void;
  /** Lets all that were put off be due now. */
  retryAll(): void;
  /** How many messages wait for other hooks than these. */
  orphans(hooks: readonly string[]): number;
  /** Forgets those of them that came before a time, in milliseconds since 1970; returns how many. */
  removeOrphans(hooks: readonly string[], before: number): number;
  /** How messages are kept that come from now on: `"full"`: on stable storage, so that a host that loses its power loses none. */
  setSynced(how: "full" | "normal"): void;
}
