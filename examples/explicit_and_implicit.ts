/**
 * Both ways to start TLS in one server: on request (AUTH TLS, `ftp://` in most clients) and from the first byte (`ftps://`).
 *
 * Without a certificate one is made in memory. With `certificate.pem` and `key.pem` as third and fourth argument (and
 * `--allow-read` for them) the server uses that pair.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 examples/explicit_and_implicit.ts 2121 2990
 * ```
 *
 * Try:
 *
 * ```sh
 * curl --ssl-reqd --insecure ftp://127.0.0.1:2121/
 * curl --insecure ftps://127.0.0.1:2990/
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { FtpServer, MemoryFileSystem, type TlsOptions, VirtualAuthorizer } from "@ftpsd/ftpsd";

const [explicitPort = "2121", implicitPort = "2990", certificateFile, keyFile] = Deno.args;

async function readPair(certificateFile: string, keyFile: string): Promise<TlsOptions> {
  return { certificate: await Deno.readTextFile(certificateFile), key: await Deno.readTextFile(keyFile) };
}

const authorizer = new VirtualAuthorizer();
authorizer.addAnonymous(MemoryFileSystem.of({ "/hello.txt": "Hello.\n" }));

await using server = new FtpServer({
  authorizer,
  listen: [
    { host: "127.0.0.1", port: Number(explicitPort) },
    { host: "127.0.0.1", port: Number(implicitPort), tls: "implicit" },
  ],
  tls: certificateFile && keyFile ? await readPair(certificateFile, keyFile) : {},
});
await server.listen();
for (const { host, port, tls } of server.addresses) console.log(`Listening on ${host}:${port}, TLS ${tls}`);
console.log(`Certificate: SHA-256 ${server.certificate?.fingerprint}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
