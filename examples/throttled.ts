/**
 * Rates: 512 KiB/s for each transfer, and 768 KiB/s for all downloads of one account together.
 *
 * The first holds for every transfer of the server, the second for all sessions of one user name; both count bytes on the
 * wire. A transfer that keeps to its rate does not run into the time limit for silent data connections.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 examples/throttled.ts 2121
 * ```
 *
 * Try:
 *
 * ```sh
 * curl --ssl-reqd --insecure --user user:12345 --output /dev/null ftp://127.0.0.1:2121/zeros
 * curl --ssl-reqd --insecure --user user:12345 --parallel --output /dev/null ftp://127.0.0.1:2121/zeros --output /dev/null ftp://127.0.0.1:2121/zeros
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { FtpServer, MemoryFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";

const KIB = 1024;
const [port = "2121"] = Deno.args;

const authorizer = new VirtualAuthorizer();
const home = MemoryFileSystem.of({ "/zeros": new Uint8Array(512 * KIB) }, { maxBytes: 8 * KIB * KIB });
authorizer.addUser("user", "12345", home, {
  permissions: "elrw",
  limits: { connections: 4, bandwidth: { download: 768 * KIB } },
});

await using server = new FtpServer({
  authorizer,
  listen: [{ host: "127.0.0.1", port: Number(port) }],
  transfer: { bandwidth: { download: 512 * KIB, upload: 512 * KIB } },
});
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
