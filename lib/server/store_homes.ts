/**
 * Homes in object stores: what they need is loaded, and made, when a configuration has a store.
 *
 * @module
 */

import type { FileClaims } from "../filesystem/file_claims.ts";
import type { FileSystem } from "../filesystem/filesystem.ts";
import type { ObjectStore } from "../filesystem/object/object_store.ts";
import type { PartBuffers } from "../filesystem/object/part_buffers.ts";
import type { Trace } from "../tracing.ts";
import type { Meter } from "../meter.ts";
import type { StoreHome } from "../settings/forms.ts";
import type { Configuration, StoreSettings } from "../settings/table.ts";
import type { StateRecords } from "../state/records.ts";
import type { ConfigurationFiles, StoreHomeOpener } from "./configured_options.ts";

/** Memory for the parts of uploads to all stores, over all event loops. */
const PART_MEMORY_BYTES = 128 * 2 ** 20;
/** With less in an event loop its parts would stay so small that a file could not have 100 GiB. */
const MIN_PART_MEMORY_BYTES = 64 * 2 ** 20;

/** What homes in stores share with the rest of the server. */
export interface StoreHomesOptions {
  readonly claims: FileClaims;
  readonly records: StateRecords;
  /** How many event loops share the memory for parts. @default {1} */
  readonly eventLoops?: number;
  /** Told of what goes wrong and refuses nothing. Must not throw. */
  readonly report: (cause: unknown) => void;
  /** Takes measurements; absent: nobody does. */
  readonly meter?: Meter | undefined;
  /** Does requests in spans; absent: nobody follows them. */
  readonly trace?: Trace | undefined;
}

/** A store that homes are in. */
export interface OpenedStore {
  readonly store: ObjectStore;
  readonly settings: StoreSettings;
}

type Loaded = Awaited<ReturnType<typeof loadObjects>>;

/** Opens homes in the stores of a configuration. It owns the connections to them, until it is disposed of. */
export class StoreHomes implements AsyncDisposable {
  readonly #options: StoreHomesOptions;
  /** All that were ever opened: sessions that are under way keep theirs across a reload. */
  readonly #opened = new Map<string, OpenedStore>();
  #named: ReadonlyMap<string, OpenedStore> = new Map();
  #loaded: Loaded | undefined;
  #buffers: PartBuffers | undefined;

  constructor(options: StoreHomesOptions) {
    this.#options = options;
  }

  /** The stores of the configuration that {@linkcode StoreHomes.prepare} was given last. */
  get stores(): readonly OpenedStore[] {
    return [...this.#named.values()];
  }

  /**
   * Makes ready for a configuration; nothing is asked of its stores. To be called before homes are opened for it.
   *
   * @throws {TypeError} When the address of a store cannot be used.
   */
  async prepare(
    { stores }: Pick<Configuration, "stores">,
    { storeAuthorities = {} }: Pick<ConfigurationFiles, "storeAuthorities">,
  ): Promise<void> {
    const entries = Object.entries(stores);
    if (entries.length > 0) this.#loaded ??= await loadObjects();
    this.#named = new Map(entries.map(([name, settings]) => [name, this.#store(settings, storeAuthorities[name])]));
  }

  /** Opens a home; the store is the one of that name in the configuration that was prepared last. */
  readonly open: StoreHomeOpener = (home, account) => {
    const opened = this.#named.get(home.store);
    if (opened === undefined || this.#loaded === undefined) throw missing(home);
    return this.#fileSystem(this.#loaded, opened, home, account);
  };

  /** Gives up all that is on its way to the stores, and closes their connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    this.#named = new Map();
    await Promise.all(opened.map(({ store }) => store[Symbol.asyncDispose]()));
  }

  #store(settings: StoreSettings, ca: string | undefined): OpenedStore {
    const key = JSON.stringify([settings, ca]);
    const opened = this.#opened.get(key) ??
      { settings, store: createStore(this.#loaded, settings, { ...this.#options, ca }) };
    this.#opened.set(key, opened);
    return opened;
  }

  #fileSystem(
    { ObjectFileSystem, PartBuffers }: Loaded,
    { store, settings }: OpenedStore,
    { path }: StoreHome,
    owner: string,
  ): FileSystem {
    const { claims, records, report, eventLoops = 1 } = this.#options;
    const { partSize, keepPartsFor, renameLimit } = settings;
    // One that is sent and one that is filled, however large they are.
    const partSizes = this.stores.map(({ settings }) => 2 * settings.partSize);
    this.#buffers ??= new PartBuffers({
      maxBytes: Math.max(PART_MEMORY_BYTES / eventLoops, MIN_PART_MEMORY_BYTES, ...partSizes),
    });
    return new ObjectFileSystem(store, {
      path,
      owner,
      claims,
      records,
      buffers: this.#buffers,
      // The memory is that of the first homes; a reload may want larger parts.
      partSize: Math.min(partSize, this.#buffers.maxOwnerBytes),
      keepPartsForSeconds: keepPartsFor,
      maxRenamedObjects: renameLimit,
      report,
    });
  }
}

function createStore(
  loaded: Loaded | undefined,
  settings: StoreSettings,
  { ca, meter, trace }: Pick<StoreHomesOptions, "meter" | "trace"> & { readonly ca: string | undefined },
): ObjectStore {
  if (loaded === undefined) throw new Error("Stores were opened before what they need was loaded");
  const { endpoint, region, bucket, prefix, addressing } = settings;
  const { accessKeyFile, secretKeyFile, sessionTokenFile } = settings;
  const files = new loaded.FileCredentials({
    accessKeyFile,
    secretKeyFile,
    ...sessionTokenFile && { sessionTokenFile },
  });
  return new loaded.S3Store({
    endpoint,
    region,
    bucket,
    ...prefix !== undefined && { prefix: asFolder(prefix) },
    ...addressing !== undefined && { pathStyle: addressing === "path" },
    credentials: (options) => files.read(options),
    ...ca !== undefined && { ca },
    trace,
    onRequest: meter && ((method, outcome) => meter.called("store", method, outcome)),
  });
}

/** A prefix as keys begin with it: without a slash in front, and with one behind. */
function asFolder(prefix: string): string {
  return `${prefix.replace(/^\/+|\/+$/g, "")}/`.replace(/^\/$/, "");
}

async function loadObjects() {
  const [{ ObjectFileSystem }, { S3Store }, { FileCredentials }, { PartBuffers }] = await Promise.all([
    import("../filesystem/object/object_filesystem.ts"),
    import("../filesystem/object/s3_store.ts"),
    import("../filesystem/object/s3_credentials.ts"),
    import("../filesystem/object/part_buffers.ts"),
  ]);
  return { ObjectFileSystem, S3Store, FileCredentials, PartBuffers };
}

function missing({ store }: StoreHome): TypeError {
  return new TypeError(`Cannot open a home in store ${JSON.stringify(store)}: it was not opened`);
}
