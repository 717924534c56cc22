/**
 * The address that PASV announces where `passive.address` is a name: asked for anew, so that it follows a changing address.
 *
 * It is looked up as the system does it for all programs, which needs Deno's permission for the name itself, and none for
 * the servers of names.
 *
 * @module
 */

import { lookup } from "node:dns";
import { ipFamily } from "../protocol/host_port.ts";
import { guarded } from "./error_scope.ts";

/** How {@linkcode AnnouncedAddress} finds an address, and whom it tells. */
export interface AnnouncedAddressOptions {
  /** Told when the name has an address for the first time, or another one. */
  readonly onChange: (name: string, address: string) => void;
  /** Told of the first failure in a row. `kept`: the last good answer. */
  readonly onFailure: (name: string, reason: string, kept: string | undefined) => void;
  /** Finds all IPv4 addresses of a name. @default {that of the system} */
  readonly find?: (name: string) => Promise<readonly string[]>;
  /** Time from an answer to the next question, in milliseconds. @default {60_000} */
  readonly intervalMs?: number;
  /** How long a first answer is waited for, in milliseconds. @default {5_000} */
  readonly firstWaitMs?: number;
}

const INTERVAL_MS = 60_000;
const FIRST_WAIT_MS = 5_000;

/** Knows the address of one name; asking for it never waits. It asks until it is disposed of. */
export class AnnouncedAddress implements Disposable {
  readonly #options: AnnouncedAddressOptions;
  #watch: NameWatch | undefined;
  #isClosed = false;

  constructor(options: AnnouncedAddressOptions) {
    this.#options = options;
  }

  /** The address; `undefined` while it is not known. */
  get current(): string | undefined {
    return this.#watch?.address;
  }

  /**
   * Makes ready for another value of the setting, and waits for a first answer, though not for long.
   *
   * @param address An address or a name; absent: none.
   * @returns What makes it hold; not calling it leaves all as it was.
   */
  async prepare(address: string | undefined): Promise<() => void> {
    if (address !== undefined && address === this.#watch?.name) return () => {};
    const next = address === undefined || ipFamily(address) !== undefined
      ? undefined
      : new NameWatch(address, this.#options);
    await next?.firstAnswer();
    return () => {
      this.#watch?.[Symbol.dispose]();
      this.#watch = next;
      if (this.#isClosed) next?.[Symbol.dispose]();
      else next?.start();
    };
  }

  /** Asks no more. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#watch?.[Symbol.dispose]();
  }
}

/** Asks for one name, again and again. */
class NameWatch implements Disposable {
  readonly name: string;
  readonly #options: AnnouncedAddressOptions;
  readonly #asked: Promise<void>;
  #address: string | undefined;
  #failed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** Asks at once, and once. */
  constructor(name: string, options: AnnouncedAddressOptions) {
    this.name = name;
    this.#options = options;
    this.#asked = this.#ask();
  }

  get address(): string | undefined {
    return this.#address;
  }

  /** Resolves with the first answer, good or bad, or when it takes too long. */
  async firstAnswer(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, this.#options.firstWaitMs ?? FIRST_WAIT_MS);
    await Promise.race([this.#asked, late.promise]);
    clearTimeout(timer);
  }

  /** Asks again from now on, after each answer. */
  start(): void {
    void this.#asked.then(() => this.#askLater());
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #askLater(): void {
    if (this.#isClosed) return;
    const again = guarded(() => void this.#ask().then(() => this.#askLater()));
    this.#timer = setTimeout(again, this.#options.intervalMs ?? INTERVAL_MS);
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    const { find = findAddresses } = this.#options;
    try {
      const addresses = (await find(this.name)).filter(isAnnounceable);
      if (!this.#isClosed) this.#take(addresses);
    } catch (error) {
      if (!this.#isClosed) this.#fail(describe(error));
    }
  }

  /** Of several the first; one that is still among them stays, since servers of names turn them round. */
  #take(addresses: readonly string[]): void {
    const [first] = addresses;
    if (first === undefined) return this.#fail("it has no IPv4 address");
    const isBack = this.#failed;
    this.#failed = false;
    const isSame = this.#address !== undefined && addresses.includes(this.#address);
    this.#address = isSame ? this.#address ?? first : first;
    if (!isSame || isBack) this.#options.onChange(this.name, this.#address);
  }

  #fail(reason: string): void {
    if (!this.#failed) this.#options.onFailure(this.name, reason, this.#address);
    this.#failed = true;
  }
}

function isAnnounceable(address: string): boolean {
  return ipFamily(address) === 4 && address !== "0.0.0.0";
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && error.code === "EPERM"
    ? `${error.message}; ftpsd permissions prints what it needs`
    : error.message;
}

function findAddresses(name: string): Promise<readonly string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
  lookup(name, { family: 4, all: true }, (error, addresses) => {
    if (error) reject(error);
    else resolve(addresses.map(({ address }) => address));
  });
  return promise;
}
