/**
 * What users do with their own passwords: hear that one is old, and change it, where the configuration lets them.
 *
 * @module
 */

import type { AccountOptions } from "../accounts/account_source.ts";
import { hashPassword, isPasswordHash } from "../accounts/password_hash.ts";
import type { PasswordReplacement, PasswordStore } from "../accounts/password_store.ts";
import { runInPlace, type WorkPlaces } from "../accounts/work_queue.ts";
import type { Configuration, UserSettings } from "../settings/table.ts";

/** How passwords of one source are changed. */
export interface OwnPasswordOptions {
  readonly policy: Configuration["passwords"];
  /** Where new ones are kept; absent: nowhere. */
  readonly store: PasswordStore | undefined;
  /** Index of the source in `accounts`. */
  readonly source: number;
  readonly workPlaces: WorkPlaces;
}

const DAY_MS = 86_400_000;
/** More bytes than anybody types. */
const MAX_PASSWORD_BYTES = 512;

/** What of that a user may do. */
export function ownPasswordOf(
  user: Pick<UserSettings, "name" | "password" | "passwordChanged">,
  { policy, store, source, workPlaces }: OwnPasswordOptions,
): Pick<AccountOptions, "notice" | "changePassword"> {
  const { name, passwordChanged } = user;
  const { changeEvery, change, minLength } = policy;
  const keep = async ({ hash, from }: Pick<PasswordReplacement, "hash" | "from">) =>
    await store?.replace({ source, name, from, hash });
  return {
    ...passwordChanged !== undefined && changeEvery > 0 && {
      notice: (now) => noticeOf((now.getTime() - passwordChanged.getTime()) / DAY_MS, changeEvery),
    },
    ...change && store !== undefined && {
      changePassword: async ({ old, password }, { signal }) => {
        const problem = findNewPasswordProblem(password, { name, old, minLength });
        if (problem !== undefined) return problem;
        // As much work as a check, and so in one of its places
        const hash = await runInPlace(workPlaces, () => hashPassword(password), { signal, owner: name });
        await keep({ hash, from: user.password });
        return undefined;
      },
    },
  };
}

function noticeOf(days: number, changeEvery: number): string | undefined {
  const whole = Math.floor(days);
  return whole < changeEvery ? undefined : `Your password is ${whole} days old; please change it.`;
}

/** Returns why a new password is not taken, for its user; `undefined` where it is. */
export function findNewPasswordProblem(
  password: string,
  { name, old, minLength }: { readonly name: string; readonly old: string; readonly minLength: number },
): string | undefined {
  if ([...password].length < minLength) return `it has fewer than ${minLength} characters`;
  if (new TextEncoder().encode(password).length > MAX_PASSWORD_BYTES) return "it is too long";
  if (/\p{Cc}|\ufffd/u.test(password)) return "it has characters that not every client can send";
  if (isPasswordHash(password)) return "it begins like a hash";
  if (new Set(password.toLowerCase()).size < 4) return "it has fewer than four different characters";
  const plain = password.toLowerCase();
  if (name.length > 2 && plain.includes(name.toLowerCase())) return "it has the user name in it";
  // Behind the old one may be a code.
  return old.toLowerCase().startsWith(plain) ? "it is the old one" : undefined;
}
