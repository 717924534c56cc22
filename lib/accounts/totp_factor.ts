/**
 * Codes that change with time (RFC 6238), as authenticator apps show them.
 *
 * @module
 */

import type { TOTP } from "otpauth";
import { addressBlock } from "../protocol/host_port.ts";
import { AuthorizerBusyError } from "./authorizer.ts";
import { type CodeRegister, MAX_DRIFT_STEPS, UsedCodes } from "./code_register.ts";
import { computeKeyedDigest } from "./password_digest.ts";
import {
  type CodeAttempt,
  findTotpSecretProblem,
  type LookedAtCode,
  type SecondFactor,
  type TotpAlgorithm,
} from "./second_factor.ts";

/** What authenticator and server have in common. */
export interface TotpParameters {
  /** The secret in base32 (RFC 4648 §6), without spaces: 16 bytes or more. */
  readonly secret: string;
  /**
   * Hash function.
   *
   * @default "SHA1"
   */
  readonly algorithm?: TotpAlgorithm;
  /** Digits of a code, 6 to 8. @default 6 */
  readonly digits?: number;
  /** Seconds for which a code is shown. @default 30 */
  readonly period?: number;
}

/** Options of {@linkcode TotpFactor}. */
export interface TotpFactorOptions extends TotpParameters {
  /**
   * How long the same password and code count for more logins from the same address, in seconds; 0: not at all.
   *
   * @default 3600
   */
  readonly remember?: number;
  /** Where codes are used up. @default {in memory, of this factor alone} */
  readonly register?: CodeRegister;
  /** Clock, in milliseconds since 1970. @default {Date.now} */
  readonly now?: () => number;
}

const DEFAULT_REMEMBER_SECONDS = 3600;

/** The second factor of one account. Each code is right once, and by a period early or late. */
export class TotpFactor implements SecondFactor {
  readonly codeLength: number;
  readonly #options: TotpFactorOptions;
  readonly #register: CodeRegister;
  readonly #now: () => number;
  #totp: Promise<TOTP> | undefined;

  /**
   * Makes the factor of one account.
   *
   * @throws {RangeError} When the secret is none. It is not in the message.
   */
  constructor(options: TotpFactorOptions) {
    const problem = findTotpSecretProblem(options.secret);
    if (problem !== undefined) throw new RangeError(`Cannot use the secret of the codes: it ${problem}`);
    this.#options = options;
    this.#register = options.register ?? new UsedCodes();
    this.#now = options.now ?? Date.now;
    this.codeLength = options.digits ?? 6;
  }

  async look(attempt: CodeAttempt): Promise<LookedAtCode> {
    const totp = await (this.#totp ??= loadTotp(this.#options));
    const { given, username } = attempt;
    const timestamp = this.#now();
    const token = given.slice(-this.codeLength);
    const delta = totp.validate({ token, timestamp, window: MAX_DRIFT_STEPS });
    const step = delta === null ? undefined : Math.floor(timestamp / 1000 / totp.period) + delta;
    const identity = this.#identify(attempt);
    const { remember: rememberSeconds = DEFAULT_REMEMBER_SECONDS } = this.#options;
    const isRecalled = rememberSeconds > 0 && await orBusy(() => this.#register.recalls(username, identity));
    const use = { account: username, periodSeconds: totp.period, identity, rememberSeconds };
    return {
      isRecalled,
      confirm: () => orBusy(() => this.#register.use({ ...use, step })),
    };
  }

  #identify({ username, passwordHash, given, remoteHost }: CodeAttempt): string {
    const key = new TextEncoder().encode(this.#options.secret);
    const digest = computeKeyedDigest(key, [username, passwordHash, addressBlock(remoteHost), given]);
    return btoa(String.fromCharCode(...digest));
  }
}

async function orBusy(work: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (cause) {
    throw new AuthorizerBusyError("The codes that were used are out of reach", { isOutage: true, cause });
  }
}

/** Loaded when needed: most servers have no codes. */
async function loadTotp({ secret, algorithm = "SHA1", digits = 6, period = 30 }: TotpParameters): Promise<TOTP> {
  const { Secret, TOTP } = await import("otpauth");
  return new TOTP({ secret: Secret.fromBase32(secret), algorithm, digits, period });
}
