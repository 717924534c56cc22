/**
 * One folder, two views: an editor who may change it, and everybody else who cannot.
 *
 * Permissions say what an account may do; `readOnly()` takes away what its file system can do. The commands that write are
 * gone for anonymous users then (502), from FEAT too, whatever the permissions say by mistake.
 *
 * ```sh
 * mkdir -p files
 * deno run --allow-net=127.0.0.1 --allow-read=files --allow-write=files examples/read_only_view.ts files 2121
 * ```
 *
 * Try:
 *
 * ```sh
 * curl --ssl-reqd --insecure --user editor:12345 --upload-file README.md ftp://127.0.0.1:2121/
 * curl --ssl-reqd --insecure --upload-file README.md ftp://127.0.0.1:2121/
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { ALL_PERMISSIONS, FtpServer, LocalFileSystem, readOnly, VirtualAuthorizer } from "@ftpsd/ftpsd";

const [folder = "files", port = "2121"] = Deno.args;

const files = new LocalFileSystem(folder);
const authorizer = new VirtualAuthorizer();
authorizer.addUser("editor", "12345", files, { permissions: ALL_PERMISSIONS });
authorizer.addAnonymous(readOnly(files));

await using server = new FtpServer({ authorizer, listen: [{ host: "127.0.0.1", port: Number(port) }] });
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
