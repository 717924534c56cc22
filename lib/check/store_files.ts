/**
 * Files and hosts that the object stores of a configuration name.
 *
 * @module
 */

import { BucketAddress } from "../filesystem/object/s3_address.ts";
import type { KeyPath } from "../settings/key_path.ts";
import type { Configuration, StoreSettings } from "../settings/table.ts";

/** A file that a store names. */
export interface StoreFile {
  readonly key: KeyPath;
  readonly path: string;
  /** Whether nobody else may know what is in it. */
  readonly isSecret: boolean;
}

/** Every file that the stores of a configuration name. */
export function storeFilesOf({ stores }: Configuration): StoreFile[] {
  return Object.entries(stores).flatMap(([name, store]) => filesOf(store, ["stores", name]));
}

function filesOf(store: StoreSettings, at: KeyPath): StoreFile[] {
  const { accessKeyFile, secretKeyFile, sessionTokenFile, ca } = store;
  return [
    { key: [...at, "accessKeyFile"], path: accessKeyFile, isSecret: false },
    { key: [...at, "secretKeyFile"], path: secretKeyFile, isSecret: true },
    ...sessionTokenFile === undefined
      ? []
      : [{ key: [...at, "sessionTokenFile"], path: sessionTokenFile, isSecret: true }],
    ...ca === undefined ? [] : [{ key: [...at, "ca"], path: ca, isSecret: false }],
  ];
}

/** Where requests to a store go, as `host:port`. */
export function storeHostOf({ endpoint, bucket, addressing }: StoreSettings): string {
  const style = addressing === undefined ? {} : { pathStyle: addressing === "path" };
  const { protocol, hostname, port } = new BucketAddress({ endpoint, bucket, ...style }).url(undefined);
  return `${hostname}:${port === "" ? protocol === "http:" ? 80 : 443 : port}`;
}
