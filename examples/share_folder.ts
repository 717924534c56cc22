/**
 * Shares a folder, read-only, with anybody who can connect.
 *
 * The smallest program: TLS is required, its certificate is made in memory at the start, and anonymous users cannot write.
 * Ctrl-C lets downloads that are under way end first, for ten seconds at most.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 --allow-read=. examples/share_folder.ts . 2121
 * ```
 *
 * Try (clients are told not to check the certificate, as nobody has signed it):
 *
 * ```sh
 * curl --ssl-reqd --insecure ftp://127.0.0.1:2121/
 * lftp -e "set ftp:ssl-force yes; set ftp:ssl-allow-anonymous yes; set ssl:verify-certificate no" ftp://127.0.0.1:2121
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { FtpServer, VirtualAuthorizer } from "@ftpsd/ftpsd";

const [folder = ".", port = "2121"] = Deno.args;

const authorizer = new VirtualAuthorizer();
authorizer.addAnonymous(folder);

await using server = new FtpServer({ authorizer, listen: [{ host: "127.0.0.1", port: Number(port) }] });
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
