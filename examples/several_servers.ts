/**
 * Two servers in one process: one for everybody with TLS, and one without for an old device that has none.
 *
 * Each server has its own options, here its own TLS policy and its own users. They count together: connections, bans and
 * sessions of an account are limited over both, as the first server's options say. The second one has to accept its risks
 * by name; give it an address that only the device reaches.
 *
 * ```sh
 * mkdir -p scans
 * deno run --allow-net=127.0.0.1 --allow-read=scans --allow-write=scans examples/several_servers.ts scans 2121 2122
 * ```
 *
 * Try:
 *
 * ```sh
 * curl --user scanner:12345 --upload-file README.md ftp://127.0.0.1:2122/
 * curl --ssl-reqd --insecure --user reader:12345 ftp://127.0.0.1:2121/
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { FtpServer, LocalFileSystem, readOnly, VirtualAuthorizer } from "@ftpsd/ftpsd";

const [folder = "scans", port = "2121", oldPort = "2122"] = Deno.args;
const scans = new LocalFileSystem(folder);

const readers = new VirtualAuthorizer();
readers.addUser("reader", "12345", readOnly(scans));
await using server = new FtpServer({
  authorizer: readers,
  listen: [{ host: "127.0.0.1", port: Number(port) }],
  limits: { connectionsPerAddress: 8 },
});

const devices = new VirtualAuthorizer();
devices.addUser("scanner", "12345", scans, { permissions: "elw", limits: { connections: 2 } });
await using oldServer = new FtpServer({
  authorizer: devices,
  listen: [{ host: "127.0.0.1", port: Number(oldPort) }],
  tls: { policy: "off" },
  acceptRisks: ["clear-text-control", "clear-text-data"],
}, { state: server.state, idPrefix: "old" });

const servers = [server, oldServer];
for (const each of servers) {
  await each.listen();
  for (const { host, port, tls } of each.addresses) console.log(`Listening on ${host}:${port}, TLS ${tls}`);
}

Deno.addSignalListener("SIGINT", () => servers.forEach((each) => void each.shutdown({ graceMs: 10_000 })));
await Promise.all(servers.map((each) => each.finished));
