/**
 * The store of a cluster, and how it is read past the nodes.
 *
 * @module
 */

import { REAL_BUCKET, RealStore } from "../object_store/real_store.ts";
import { S3Server } from "../object_store/s3_server.ts";
import { sendSigned } from "../object_store/signed_request.ts";

/** A place for files, which is emptied at the end of its scope. */
export interface ClusterStore extends AsyncDisposable {
  /** Port of 127.0.0.1. */
  readonly port: number;
  readonly bucket: string;
  /** Of all keys; may be empty. */
  readonly prefix: string;
  /** What is visible under a key behind the prefix; `undefined`: nothing. */
  read(key: string): Promise<Uint8Array | undefined>;
}

/** Opens the store of `services:start`, or without its URL a stand-in in this process. */
export function openClusterStore(endpoint: string | undefined): ClusterStore {
  return endpoint === undefined ? standIn() : real(new RealStore(endpoint));
}

function standIn(): ClusterStore {
  const server = new S3Server();
  return {
    port: server.port,
    bucket: "files",
    prefix: "",
    read: (key) => Promise.resolve(server.objects().has(key) ? server.bytes(key) : undefined),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function real(store: RealStore): ClusterStore {
  const { prefix } = store;
  return {
    port: Number(new URL(store.endpoint).port),
    bucket: REAL_BUCKET,
    prefix,
    async read(key) {
      const response = await sendSigned(store.endpoint, { method: "GET", path: `/${REAL_BUCKET}/${prefix}${key}` });
      if (response.ok) return new Uint8Array(await response.arrayBuffer());
      await response.body?.cancel();
      if (response.status === 404) return undefined;
      throw new Error(`GET ${key} was answered ${response.status}`);
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
