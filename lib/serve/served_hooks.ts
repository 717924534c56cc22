/**
 * The hooks of a served configuration, which are loaded where it has some.
 *
 * @module
 */

import { shellWord, StartError } from "../check/exit_error.ts";
import type { ServerEventName } from "../events.ts";
import { HOOK_EVENTS, KEPT_EVENTS } from "../hook_events.ts";
import type { EventKeeper, KeptEvent } from "../event_keeper.ts";
import type { Hooks, HooksConfiguration } from "../hooks/hooks.ts";
import type { Meter } from "../meter.ts";
import type { Configuration } from "../settings/table.ts";
import type { Remark } from "./serve_settings.ts";
import type { ServerPlan } from "./worker_messages.ts";

/** Events that the main event loop needs of the others for hooks. */
export const EVENTS_FOR_HOOKS: readonly ServerEventName[] = HOOK_EVENTS.filter((name) =>
  !(KEPT_EVENTS as readonly string[]).includes(name)
);

/** What hooks are opened with. */
export interface OpenHooksOptions {
  readonly log: (level: Remark["level"], text: string) => void;
  /** Counts what becomes of events; absent: nobody does. */
  readonly meter?: Meter | undefined;
}

/** Hooks, with their queue. */
export interface ServedHooks extends AsyncDisposable {
  readonly hooks: Hooks;
  /** Uses a plan from now on. Never rejects. */
  configure(plan: ServerPlan): Promise<void>;
}

/**
 * Opens the queue; nothing is delivered before it is configured. `undefined` where there are no hooks.
 *
 * @throws {StartError} When the queue cannot be used.
 */
export async function openHooks(plan: ServerPlan, options: OpenHooksOptions): Promise<ServedHooks | undefined> {
  const first = toHooks(plan);
  if (first === undefined) return undefined;
  const [{ Hooks }, { SqliteHookQueue }, { StateFileError }] = await Promise.all([
    import("../hooks/hooks.ts"),
    import("../state/sqlite/sqlite_hook_queue.ts"),
    import("../state/sqlite/sqlite_database.ts"),
  ]);
  const { queue: file } = first.hooks;
  await using opened = new AsyncDisposableStack();
  try {
    const queue = opened.use(new SqliteHookQueue(file));
    const { log, meter } = options;
    const hooks = opened.use(
      new Hooks({ queue, log, onResult: meter && ((hook, result) => meter.told(hook, result)) }, first),
    );
    const all = opened.move();
    return {
      hooks,
      configure: (next) => hooks.configure(toHooks(next) ?? first),
      [Symbol.asyncDispose]: () => all.disposeAsync(),
    };
  } catch (cause) {
    if (!(cause instanceof StateFileError)) throw cause;
    const hint = cause.isInUse ? "each server needs a file of its own" : `ls -l ${shellWord(file)}`;
    throw new StartError(`cannot use ${file} as the queue of hooks: ${cause.message} (hooks.queue)`, hint, { cause });
  }
}

function toHooks({ configuration, files }: ServerPlan): HooksConfiguration | undefined {
  const { hooks, state, upload } = configuration;
  if (hooks === undefined) return undefined;
  return { hooks, node: state.node, isSynced: upload.sync, authorities: files.hookAuthorities ?? {} };
}

/** The keeper of another event loop: asks the main one about nothing that no hook wants. */
export class RemoteKeeper implements EventKeeper {
  readonly #main: EventKeeper;
  #hooks: Configuration["hooks"];

  constructor(main: EventKeeper, { hooks }: Configuration) {
    this.#main = main;
    this.#hooks = hooks;
  }

  /** Obeys another configuration from now on. */
  configure({ hooks }: Configuration): void {
    this.#hooks = hooks;
  }

  async keep(event: KeptEvent): Promise<void> {
    if (this.#hooks?.[event.event] !== undefined) await this.#main.keep(event);
  }
}
