/**
 * Several sources of accounts, one after the other.
 *
 * @module
 */

import type { CallOptions } from "../filesystem/filesystem.ts";
import type { AccountSource, FoundAccount } from "./account_source.ts";
import type { HashCost } from "./password_digest.ts";
import { DEFAULT_SCRYPT_COST } from "./password_hash.ts";
import { distinctCosts } from "./password_verifier.ts";

/**
 * Asks sources in their order; the first that knows a name decides, whatever the others say. One that cannot be asked ends the
 * search: it might have known the name.
 */
export class AccountChain implements AccountSource {
  readonly #sources: readonly AccountSource[];

  constructor(sources: readonly AccountSource[]) {
    this.#sources = sources;
  }

  async find(name: string, options: CallOptions): Promise<FoundAccount | undefined> {
    for (const [index, source] of this.#sources.entries()) {
      const found = await source.find(name, options) ?? undefined;
      if (found === undefined) continue;
      const later = this.#sources.slice(index + 1);
      return later.length === 0 ? found : { ...found, refuse: (options) => askInVain(later, name, options) };
    }
    return undefined;
  }

  /** Those of all sources, so that a failing login takes the work of each, wherever a name is. */
  costs(): readonly HashCost[] {
    const default_: HashCost = { scheme: "scrypt", ...DEFAULT_SCRYPT_COST };
    return distinctCosts(this.#sources.flatMap((source) => source.costs?.() ?? [default_]));
  }
}

/** Lets a wrong password take the time of the sources that were not asked, so that nobody learns in which a name is. */
async function askInVain(sources: readonly AccountSource[], name: string, options: CallOptions): Promise<void> {
  for (const source of sources) {
    try {
      await source.find(name, options);
    } catch {
      return; // the search would have ended here
    }
  }
}
