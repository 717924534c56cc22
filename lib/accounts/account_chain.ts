/**
 * Several sources of accounts, one after the other.
 *
 * @module
 */

import type { CallOptions } from "../filesystem/filesystem.ts";
import { type AccountSource, type FoundAccount, isDelegated, type RefusalOptions } from "./account_source.ts";
import { decoyOf } from "./decoy.ts";
import type { HashCost } from "./password_digest.ts";
import { DEFAULT_SCRYPT_COST } from "./password_hash.ts";
import { distinctCosts } from "./password_verifier.ts";

/**
 * Asks sources in their order; the first that knows a name decides, whatever the others say. One that checks passwords itself knows
 * a name only with its password: where that is wrong, the next one is asked. A source that cannot be asked ends the search: it
 * might have known the name.
 */
export class AccountChain implements AccountSource {
  readonly #sources: readonly AccountSource[];

  constructor(sources: readonly AccountSource[]) {
    this.#sources = sources;
  }

  async find(name: string, options: CallOptions): Promise<FoundAccount | undefined> {
    return await findIn(this.#sources, name, options);
  }

  /** Those of all sources, so that a failing login takes the work of each, wherever a name is. */
  costs(): readonly HashCost[] {
    const default_: HashCost = { scheme: "scrypt", ...DEFAULT_SCRYPT_COST };
    return distinctCosts(this.#sources.flatMap((source) => source.costs?.() ?? [default_]));
  }
}

async function findIn(
  sources: readonly AccountSource[],
  name: string,
  options: CallOptions,
): Promise<FoundAccount | undefined> {
  for (const [index, source] of sources.entries()) {
    const found = await source.find(name, options) ?? undefined;
    if (found === undefined) continue;
    const later = sources.slice(index + 1);
    if (later.length === 0) return found;
    const refuse = (options: RefusalOptions) => askInVain(later, name, options);
    if (!isDelegated(found.password)) return { ...found, refuse };
    return { ...found, refuse, otherwise: (options) => findIn(later, name, options) };
  }
  return undefined;
}

/**
 * Lets a wrong password take the time of the sources that were not asked, so that nobody learns in which a name is. Those that
 * check passwords get a decoy: they learn nothing of accounts that are not theirs.
 */
async function askInVain(sources: readonly AccountSource[], name: string, options: RefusalOptions): Promise<void> {
  const { credentials, signal } = options;
  for (const source of sources) {
    try {
      const found = await source.find(name, { signal }) ?? undefined;
      if (found === undefined) continue;
      if (!isDelegated(found.password)) return; // the search would have ended here
      if (credentials === undefined) continue;
      await found.password.check(decoyOf(credentials), { signal });
    } catch {
      return; // and here
    }
  }
}
