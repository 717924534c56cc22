/**
 * Two accounts on two homes: admin, who may change everything, and anonymous, who may look and fetch.
 *
 * The homes are the first two arguments. On Windows they are paths such as `D:\ftp\admin`. In the text of a program each
 * backslash stands twice, `"D:\\ftp\\admin"`, or is a slash, `"D:/ftp/admin"`; the root of a drive is `"D:\\"`, as `"D:"`
 * alone is the folder that Windows happens to be in on that drive.
 *
 * ```sh
 * mkdir -p admin public
 * deno run --allow-net=127.0.0.1 --allow-read=admin,public --allow-write=admin examples/two_accounts.ts admin public 2121
 * ```
 *
 * Try:
 *
 * ```sh
 * curl --ssl-reqd --insecure --user admin:12345 --upload-file README.md ftp://127.0.0.1:2121/
 * curl --ssl-reqd --insecure ftp://127.0.0.1:2121/
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { FtpServer, VirtualAuthorizer } from "@ftpsd/ftpsd";

const [adminHome = "admin", publicHome = "public", port = "2121"] = Deno.args;

const authorizer = new VirtualAuthorizer();
// In a real program a hash stands here, as `hashPassword()` or `ftpsd hash-password` makes it.
authorizer.addUser("admin", "12345", adminHome, {
  permissions: "elradfmw", // enter, list, read; append, delete, rename (f), make directories, write
  loginMessage: "Hello admin.",
});
authorizer.addAnonymous(publicHome, { permissions: "elr" });

await using server = new FtpServer({ authorizer, listen: [{ host: "127.0.0.1", port: Number(port) }] });
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
