/**
 * Credentials for a store with S3's interface, read from files, so that they are in no configuration, argument or environment.
 *
 * @module
 */

import { describeThrown } from "../../thrown.ts";
import { FileSystemError } from "../filesystem.ts";

/** What requests are signed with. */
export interface StoreCredentials {
  /** Which key it is; the store sees it. */
  readonly accessKeyId: string;
  /** Never sent. */
  readonly secretAccessKey: string;
  /** With temporary credentials. */
  readonly sessionToken?: string;
}

/**
 * Returns the credentials that a request is to be signed with; it is asked for each. `renew`: the store has refused those that it
 * returned last.
 */
export type CredentialSource = (options: { readonly renew: boolean }) => Promise<StoreCredentials>;

/** Where the credentials lie: one value in each file; white space around it does not matter. */
export interface FileCredentialsOptions {
  /** Path of the file with the id of the key. */
  readonly accessKeyFile: string;
  /** Path of the file with the secret. */
  readonly secretKeyFile: string;
  /** Absent: the credentials are not temporary. */
  readonly sessionTokenFile?: string;
  /** The time in milliseconds, for tests. @default {performance.now} */
  readonly clock?: () => number;
}

/** How often the files are looked at, at most. */
const LOOK_EVERY_MS = 1000;

/** More is no credential. A session token has some hundred bytes. */
const MAX_FILE_BYTES = 65_536;

/** Credentials in files, which are read anew when they have changed. Holds no file open. */
export class FileCredentials {
  readonly #paths: readonly string[];
  readonly #clock: () => number;
  #current: StoreCredentials | undefined;
  /** What the files looked like when they were read. */
  #stamp = "";
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;

  /** Reads nothing yet. */
  constructor(options: FileCredentialsOptions) {
    const { accessKeyFile, secretKeyFile, sessionTokenFile } = options;
    this.#paths = [accessKeyFile, secretKeyFile, ...sessionTokenFile === undefined ? [] : [sessionTokenFile]];
    this.#clock = options.clock ?? (() => performance.now());
  }

  /**
   * Returns the credentials. While the files cannot be read, those that were read before are kept.
   *
   * @throws {FileSystemError} Kind `unavailable` when they have never been read.
   */
  async read(options: { readonly renew: boolean }): Promise<StoreCredentials> {
    const isLooking = this.#looking !== undefined && this.#current === undefined;
    if (options.renew || isLooking || this.#clock() - this.#lookedAt >= LOOK_EVERY_MS) {
      if (options.renew) this.#stamp = "";
      this.#looking ??= this.#look().finally(() => this.#looking = undefined);
      await this.#looking.catch((error) => {
        if (this.#current === undefined) throw error;
      });
    }
    if (this.#current === undefined) {
      throw new FileSystemError("unavailable", `Cannot read the credentials of the store in "${this.#paths[0]}"`);
    }
    return this.#current;
  }

  async #look(): Promise<void> {
    this.#lookedAt = this.#clock();
    try {
      const stamp = await this.#stampOf();
      if (stamp === this.#stamp) return;
      const [accessKeyId = "", secretAccessKey = "", sessionToken] = await Promise.all(this.#paths.map(readValue));
      this.#current = { accessKeyId, secretAccessKey, ...sessionToken !== undefined && { sessionToken } };
      // Files that change while they are read are read again the next time.
      this.#stamp = await this.#stampOf() === stamp ? stamp : "";
    } catch (error) {
      this.#stamp = "";
      throw new FileSystemError("unavailable", `Cannot read the credentials of the store: ${describeThrown(error)}`, {
        cause: error,
      });
    }
  }

  async #stampOf(): Promise<string> {
    const infos = await Promise.all(this.#paths.map((path) => Deno.stat(path)));
    return infos.map(({ dev, ino, size, mtime, ctime }) => [dev, ino, size, Number(mtime), Number(ctime)].join()).join(
      ";",
    );
  }
}

async function readValue(path: string): Promise<string> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  if (size > MAX_FILE_BYTES) throw new RangeError(`"${path}" has ${size} bytes, more than any credential`);
  const value = (await new Response(file.readable).text()).trim();
  // They become headers: the signature of anything else would be a different one for the store.
  if (!/^[\x21-\x7e]+$/.test(value)) throw new SyntaxError(`"${path}" has no credential in one line of ASCII`);
  return value;
}
