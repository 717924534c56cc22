/**
 * The folder of the last look-up, so that the next one in it need not step through all folders above again.
 *
 * Only what was settled is remembered, and its snapshot proves both: that nothing on the way has changed since then, and
 * that nothing has while a file was used. So it is looked at once, behind the use.
 *
 * @module
 */

import type { PathSnapshot } from "./path_snapshot.ts";

/** For how long. Few would gain by more, and the proof is by the system's clock, which may be set back. */
const MAX_AGE_MS = 1000;
/** How far the clock may be behind what has gone by since. */
const MAX_CLOCK_LAG_MS = 100;

/** A folder that was found without a link on the way. */
export interface RememberedFolder {
  /** Host path. */
  readonly hostPath: string;
  /** Of the folders above it, which was settled. */
  readonly snapshot: PathSnapshot;
}

/** Remembers one folder for a moment. */
export class FolderMemory {
  #path: string | undefined;
  #folder: RememberedFolder | undefined;
  #rememberedAt = 0;
  #clockMs = 0;

  /**
   * Remembers a folder in place of the one before, if it can be known later whether it is the same.
   *
   * @param path Virtual path.
   */
  remember(path: string, folder: RememberedFolder): void {
    const isProvable = folder.snapshot.state === "settled" && !folder.snapshot.isEmpty;
    if (!isProvable) {
      if (path === this.#path) this.#path = undefined;
      return;
    }
    this.#path = path;
    this.#folder = folder;
    this.#rememberedAt = performance.now();
    this.#clockMs = Date.now();
  }

  /** The folder that was last found by a virtual path, which may have changed since: its snapshot says so. */
  recall(path: string): RememberedFolder | undefined {
    if (path !== this.#path) return undefined;
    const ageMs = performance.now() - this.#rememberedAt;
    const isFresh = ageMs <= MAX_AGE_MS && Date.now() - this.#clockMs >= ageMs - MAX_CLOCK_LAG_MS;
    return isFresh ? this.#folder : undefined;
  }
}
