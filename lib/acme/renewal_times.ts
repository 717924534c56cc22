/**
 * When a certificate is ordered: before its end, and again after a failure. Pure, no clock.
 *
 * @module
 */

import type { AcmeError } from "./acme_error.ts";
import type { Attempts } from "./certificate_store.ts";

/** How long a certificate is valid. */
export interface Validity {
  readonly validFrom: Date;
  readonly validTo: Date;
  /** Its SHA-256, in hexadecimal digits with colons or without. */
  readonly fingerprint: string;
}

/** Part of the life that is left when it is renewed, at least. */
const LEFT_AT_RENEWAL = 1 / 3;
/** Part of the life over which renewals are spread, before that. */
const SPREAD = 1 / 50;

/**
 * Returns when a certificate is to be renewed, in milliseconds since 1970: when a third of its life is left, or a bit sooner. How much
 * sooner is another for each certificate, and the same after a restart.
 */
export function renewalTime({ validFrom, validTo, fingerprint }: Validity): number {
  const life = validTo.getTime() - validFrom.getTime();
  const part = parseInt(fingerprint.replaceAll(":", "").slice(0, 8), 16) / 2 ** 32;
  return validTo.getTime() - life * (LEFT_AT_RENEWAL + SPREAD * (Number.isFinite(part) ? part : 0));
}

/** Waits after failures, in milliseconds. */
export interface RetryTimes {
  /** After the first one; each further one waits four times as long. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** After the CA has said that a limit is reached, at least. */
  readonly limitedMs: number;
}

/**
 * Four attempts in the first hour: Let's Encrypt allows five failed validations of a name in one. Later one in six hours, which are two
 * hundred until a certificate of 90 days ends.
 */
export const RETRY_TIMES: RetryTimes = { firstMs: 60_000, longestMs: 6 * 3_600_000, limitedMs: 3_600_000 };

/** Part of a wait by which it is longer at most, so that not all come at once. */
const JITTER = 0.25;
const FACTOR = 4;

/**
 * Returns what is to be remembered of a failure.
 *
 * @param before Failures until then.
 * @param random From 0 to below 1.
 */
export function afterFailure(
  { kind, message, retryAfterMs }: Pick<AcmeError, "kind" | "message" | "retryAfterMs">,
  { before, now, random, times = RETRY_TIMES }: {
    readonly before: Attempts | undefined;
    readonly now: number;
    readonly random: number;
    readonly times?: RetryTimes | undefined;
  },
): Attempts {
  const failures = (before?.failures ?? 0) + 1;
  const { firstMs, longestMs, limitedMs } = times;
  const own = Math.min(firstMs * FACTOR ** Math.min(failures - 1, 20), longestMs);
  const asked = kind === "rateLimited" ? Math.max(limitedMs, retryAfterMs ?? 0) : retryAfterMs ?? 0;
  const wait = Math.max(own, asked) * (1 + JITTER * random);
  return { failures, failedAt: now, notBefore: now + wait, isAsked: asked > own, reason: message };
}

/** Failures after which a start or a reload does not try at once any more: somebody restarts it again and again. */
const MAX_QUICK_FAILURES = 4;
const QUICK_WINDOW_MS = 3_600_000;

/**
 * Returns when the first attempt of a start, or one behind a reload, may be: at once, since somebody may have mended what was wrong; but
 * not against the wish of the CA, and not when that was tried often in the last hour.
 */
export function firstAttempt(attempts: Attempts | undefined, now: number): number {
  if (attempts === undefined) return now;
  const isOften = attempts.failures >= MAX_QUICK_FAILURES && now - attempts.failedAt < QUICK_WINDOW_MS;
  return attempts.isAsked || isOften ? attempts.notBefore : now;
}
