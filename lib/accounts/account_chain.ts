/**
 * Several sources of accounts, one after the other.
 *
 * @module
 */

import type { CallOptions } from "../filesystem/filesystem.ts";
import {
  type AccountSource,
  type DelegatedPassword,
  type FoundAccount,
  isDelegated,
  type RefusalOptions,
} from "./account_source.ts";
import { LoginRefusedError } from "./authorizer.ts";
import { decoyOf } from "./decoy.ts";
import type { HashCost } from "./password_digest.ts";
import { DEFAULT_SCRYPT_COST } from "./password_hash.ts";
import { distinctCosts } from "./password_verifier.ts";

/**
 * Asks sources in their order; the first that knows a name decides, whatever the others say. One that checks passwords itself knows
 * a name only with its password: where that is wrong, the next one is asked. A source that cannot be asked ends the search: it
 * might have known the name. A source that knows names by several spellings gives no account whose own name an earlier one knows:
 * else `ALICE` would go past what that one says of `alice`.
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
  begin = 0,
): Promise<FoundAccount | undefined> {
  for (const [index, source] of sources.entries()) {
    if (index < begin) continue;
    const found = await source.find(name, options) ?? undefined;
    if (found === undefined) continue;
    const spelling = { name, earlier: sources.slice(0, index) };
    const later = sources.slice(index + 1);
    const refuse = (options: RefusalOptions) => askInVain(later, name, options);
    const ofLater = later.length === 0 ? {} : { refuse };
    const { password } = found;
    if (!isDelegated(password)) return { ...await onlyOwn(found, spelling, options), ...ofLater };
    const otherwise = (options: CallOptions) => findIn(sources, name, options, index + 1);
    return { ...found, password: onlyOwnNames(password, spelling), ...ofLater, ...later.length > 0 && { otherwise } };
  }
  return undefined;
}

/** What was asked for, and who was asked before. */
interface Spelling {
  readonly name: string;
  readonly earlier: readonly AccountSource[];
}

/** Returns why an account is not to be used; `undefined` where nothing speaks against it. */
async function findOwner(
  { username }: FoundAccount,
  { name, earlier }: Spelling,
  options: CallOptions,
): Promise<string | undefined> {
  if (username === undefined || username === name) return undefined; // which the earlier ones did not know
  for (const source of earlier) {
    const found = await source.find(username, options) ?? undefined;
    // One that checks passwords itself was asked with this password, and says nothing without.
    if (found === undefined || isDelegated(found.password)) continue;
    return `${JSON.stringify(username)} is an account of an earlier source, by that spelling alone`;
  }
  return undefined;
}

/** The account, which refuses everybody where an earlier source has its name. */
async function onlyOwn(found: FoundAccount, spelling: Spelling, options: CallOptions): Promise<FoundAccount> {
  const reason = await findOwner(found, spelling, options);
  return reason === undefined ? found : { ...found, rules: { refusal: () => reason } };
}

/** The same where the name is known only once the password was right. */
function onlyOwnNames(password: DelegatedPassword, spelling: Spelling): DelegatedPassword {
  return {
    ...password,
    async check(credentials, options) {
      const found = await password.check(credentials, options) ?? undefined;
      const reason = found && await findOwner(found, spelling, options);
      if (reason !== undefined) throw new LoginRefusedError(reason);
      return found;
    },
  };
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
