/**
 * Where accounts, orders and certificates of ACME are kept: in a folder that nobody else can read, and where several nodes share a
 * state, encrypted in that.
 *
 * @module
 */

import { modeBits } from "../mode_bits.ts";
import type { StateRecords } from "../state/records.ts";
import { describeThrown } from "../thrown.ts";
import { AcmeError } from "./acme_error.ts";
import type { NodeSeal } from "./node_seal.ts";

/** Small texts by name; a name has letters, digits, `.` and `-`. */
export interface AcmeStorage {
  /** Returns what was kept last; `undefined` when there is nothing. */
  get(name: string): Promise<string | undefined>;
  /** Keeps a text. Once it resolves, it outlives the process. */
  set(name: string, text: string): Promise<void>;
  /** Forgets. */
  delete(name: string): Promise<void>;
}

const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
const RIGHTS_OF_OTHERS = 0o077;
const MAX_BYTES = 1 << 20;

/**
 * Finds why a folder cannot keep secrets; `undefined` where it can, or is not there yet.
 *
 * @throws {Deno.errors.NotCapable} When Deno does not permit to look.
 */
export async function findFolderFlaw(folder: string): Promise<string | undefined> {
  try {
    const { isDirectory, mode } = await Deno.stat(folder);
    if (!isDirectory) return `${folder} is not a folder`;
    const bits = modeBits(mode, Deno.build.os) ?? 0;
    if ((bits & RIGHTS_OF_OTHERS) === 0) return undefined;
    const octal = (bits & 0o777).toString(8).padStart(4, "0");
    return `${folder} has mode ${octal}, which gives others on this host rights on it; use chmod 700`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    if (error instanceof Deno.errors.NotCapable) throw error;
    return `cannot look at ${folder}: ${describeThrown(error)}`;
  }
}

/** Keeps each text in a file of mode 600 of a folder of mode 700, which is made where it is not there. */
export class FolderStorage implements AcmeStorage {
  readonly #folder: string;

  /** @param folder Absolute path. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async get(name: string): Promise<string | undefined> {
    await this.#refuseOpen();
    try {
      using file = await Deno.open(`${this.#folder}/${name}`);
      const { isFile, size } = await file.stat();
      if (!isFile || size > MAX_BYTES) throw new TypeError("it is no small file");
      return await new Response(file.readable).text();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw failure(`cannot read ${this.#folder}/${name}`, error);
    }
  }

  async set(name: string, text: string): Promise<void> {
    const temporary = `${this.#folder}/.${name}.${crypto.randomUUID().slice(0, 8)}.tmp`;
    try {
      await Deno.mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
      await this.#refuseOpen();
      {
        using file = await Deno.open(temporary, { write: true, createNew: true, mode: FILE_MODE });
        for (let rest = new TextEncoder().encode(text); rest.length > 0;) rest = rest.subarray(await file.write(rest));
        await file.sync();
      }
      await Deno.rename(temporary, `${this.#folder}/${name}`);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {}); // the failure before it is reported
      throw failure(`cannot write ${this.#folder}/${name}`, error);
    }
  }

  async delete(name: string): Promise<void> {
    try {
      await Deno.remove(`${this.#folder}/${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw failure(`cannot remove ${this.#folder}/${name}`, error);
    }
  }

  async #refuseOpen(): Promise<void> {
    const flaw = await findFolderFlaw(this.#folder);
    if (flaw !== undefined) throw new AcmeError("local", `${flaw} (tls.acme.storage)`);
  }
}

function failure(what: string, cause: unknown): AcmeError {
  if (cause instanceof AcmeError) return cause;
  const reason = cause instanceof Error ? cause.message.replace(/: \w+ '.*'$/s, "") : describeThrown(cause);
  return new AcmeError("local", `${what}: ${reason} (tls.acme.storage)`, { cause });
}

/** Keeps texts for as long as the process: of a trial. */
export class MemoryStorage implements AcmeStorage {
  readonly #texts = new Map<string, string>();

  get(name: string): Promise<string | undefined> {
    return Promise.resolve(this.#texts.get(name));
  }

  set(name: string, text: string): Promise<void> {
    this.#texts.set(name, text);
    return Promise.resolve();
  }

  delete(name: string): Promise<void> {
    this.#texts.delete(name);
    return Promise.resolve();
  }
}

const SPACE = "acme";

/**
 * Keeps texts in the state of several nodes, sealed: whoever reads the database, or a copy of it, has no key of a certificate.
 */
export class SharedStorage implements AcmeStorage {
  readonly #records: StateRecords;
  readonly #seal: NodeSeal;

  constructor(records: StateRecords, seal: NodeSeal) {
    this.#records = records;
    this.#seal = seal;
  }

  /** @throws {AcmeError} When it was kept with another secret. */
  async get(name: string): Promise<string | undefined> {
    const value = await this.#records.get(SPACE, name);
    if (value === undefined) return undefined;
    const text = await this.#seal.open(name, value);
    if (text !== undefined) return text;
    throw new AcmeError("local", "another node has kept its certificate with another secret (tls.acme.secretFile)");
  }

  async set(name: string, text: string): Promise<void> {
    await this.#records.set(SPACE, name, await this.#seal.close(name, text));
  }

  async delete(name: string): Promise<void> {
    await this.#records.delete(SPACE, name);
  }
}

/** Certificates and accounts last, whoever has them. */
function isLasting(name: string): boolean {
  return name.endsWith(".pem") || name.startsWith("account-");
}

/** What a node keeps: together with the others, and a copy in its own folder, with which it starts while they are away. */
export class NodeStorage implements AcmeStorage {
  readonly #own: AcmeStorage;
  readonly #shared: AcmeStorage;
  readonly #onProblem: (reason: string) => void;

  /** @param onProblem Told why what others keep cannot be had. */
  constructor(own: AcmeStorage, shared: AcmeStorage, onProblem: (reason: string) => void) {
    this.#own = own;
    this.#shared = shared;
    this.#onProblem = onProblem;
  }

  async get(name: string): Promise<string | undefined> {
    const own = await this.#own.get(name);
    let shared: string | undefined;
    try {
      shared = await this.#shared.get(name);
    } catch (error) {
      this.#onProblem(error instanceof Error ? error.message : describeThrown(error));
      return own;
    }
    if (shared === undefined) return await this.#offer(name, own);
    if (shared !== own) await this.#own.set(name, shared);
    return shared;
  }

  /** The database was made anew; but what others have done with an order or an attempt is done. */
  async #offer(name: string, own: string | undefined): Promise<string | undefined> {
    if (own === undefined || !isLasting(name)) return undefined;
    await this.#shared.set(name, own);
    return own;
  }

  async set(name: string, text: string): Promise<void> {
    await this.#own.set(name, text); // first: what was made is not to be lost when the others are away
    await this.#shared.set(name, text);
  }

  async delete(name: string): Promise<void> {
    await this.#shared.delete(name);
    await this.#own.delete(name);
  }
}
