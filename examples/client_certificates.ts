/**
 * Only clients with a certificate get in, and they log in with a password all the same.
 *
 * The first argument is a file with the certificates that clients' certificates have to lead up to. OpenSSL 3 makes them for a
 * trial. Certificates of clients have to be of X.509 version 3, which `openssl x509 -req` alone does not make.
 *
 * ```sh
 * openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=our CA" -keyout ca.key -out ca.crt
 * openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj "/CN=scanner 1" -CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE -keyout scanner.key -out scanner.crt
 * deno run --allow-net=127.0.0.1 --allow-read=ca.crt examples/client_certificates.ts ca.crt 2121
 * ```
 *
 * Try, with the certificate and without it:
 *
 * ```sh
 * curl --ssl-reqd --insecure --cert scanner.crt --key scanner.key --user scanner:12345 ftp://127.0.0.1:2121/
 * curl --ssl-reqd --insecure --user scanner:12345 ftp://127.0.0.1:2121/
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { FtpServer, MemoryFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";

const [caFile = "ca.crt", port = "2121"] = Deno.args;

const authorizer = new VirtualAuthorizer();
authorizer.addUser("scanner", "12345", new MemoryFileSystem({ maxBytes: 64 * 1024 * 1024 }), { permissions: "elrw" });

await using server = new FtpServer({
  authorizer,
  listen: [{ host: "127.0.0.1", port: Number(port) }],
  tls: {
    // "request" would let clients in that show none; one that is not good is refused in both modes.
    clientCertificates: { mode: "require", ca: await Deno.readTextFile(caFile) },
  },
  on: {
    secured: ({ remote, peerCertificate }) => console.log(`${remote} has shown ${peerCertificate?.subject}`),
    disconnected: ({ remote, reason }) => console.log(`${remote} has left: ${reason}`),
  },
});
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
