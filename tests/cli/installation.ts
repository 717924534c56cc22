/**
 * A configuration file with all that it names, in a folder of its own.
 *
 * @module
 */

import type { CertificatePair } from "../../lib/transport/certificate_pair.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

/** Password of the users in configurations of tests. */
export const PASSWORD = "12345";

/** Its hash, of the default cost. */
export const HASH = "$scrypt$ln=17,r=8,p=1$oU4nvd7QKjrjk2ZvpE2C0g$1cnmdaQyMS0bofcJx6Lv6jwh90xTqeWZbeDu/ZSJ7hk";

/** A hash of the least cost, for tests with many logins; a check finds that it is. */
export const QUICK_HASH = "$scrypt$ln=10,r=8,p=1$NvzDcEOLD/0zWzg4IxmJxw$x1DplbWaNGuK1YdnDb5pqwGevQSSbjw1JSvhHp0PLVg";

/** Lines for a user `user` with {@linkcode PASSWORD}, who may read. */
export const USER = `users:\n  - name: user\n    password: ${HASH}\n    home: home\n`;

/** The same, by {@linkcode QUICK_HASH}. */
export const QUICK_USER = USER.replace(HASH, QUICK_HASH);

/** The folder; it is removed at the end of its scope. */
export class Installation implements AsyncDisposable {
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  /** Makes a folder with an empty home and a configuration file. */
  static async create(configuration: string): Promise<Installation> {
    const installation = new Installation(await TemporaryFolder.create());
    await Deno.mkdir(installation.home, { mode: 0o755 });
    await installation.configure(configuration);
    return installation;
  }

  /** Absolute path of the folder. */
  get path(): string {
    return this.#folder.path;
  }

  /** Absolute path of the home, which the configuration calls `home`. */
  get home(): string {
    return `${this.path}/home`;
  }

  /** Absolute path of the configuration file. */
  get file(): string {
    return `${this.path}/ftpsd.yaml`;
  }

  /** Writes the configuration file. */
  async configure(configuration: string): Promise<void> {
    await Deno.writeTextFile(this.file, configuration);
  }

  /** Writes `server.crt` and `server.key`, with the mode of a key that is kept well unless another is given. */
  async install({ certificate, key }: CertificatePair, keyMode = 0o600): Promise<void> {
    await Deno.writeTextFile(`${this.path}/server.crt`, certificate);
    await Deno.writeTextFile(`${this.path}/server.key`, key, { mode: 0o600 });
    await Deno.chmod(`${this.path}/server.key`, keyMode);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#folder[Symbol.asyncDispose]();
  }
}
