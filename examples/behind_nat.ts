/**
 * A server behind a router that does NAT: fixed passive ports to forward, and the address that clients are told.
 *
 * Forward port 2121 and ports 50000 to 50100 of the router to this host. PASV tells clients an address to connect to. Those
 * who have come by the local address that the router forwards to (here 192.168.1.10) are told the router's own (here
 * 203.0.113.7); those who have come by another, such as that of a VPN, are told that one. Where all come through the router,
 * `passive: { address: "203.0.113.7" }` is enough. EPSV, which most clients use, tells no address.
 *
 * ```sh
 * deno run --allow-net=0.0.0.0 examples/behind_nat.ts 203.0.113.7 192.168.1.10 2121
 * ```
 *
 * Try (curl shows the 227 reply; it connects to the address that it knows already, whatever the reply says):
 *
 * ```sh
 * curl --verbose --disable-epsv --ssl-reqd --insecure ftp://127.0.0.1:2121/
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { FtpServer, MemoryFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";

const [routerAddress = "203.0.113.7", localAddress = "192.168.1.10", port = "2121"] = Deno.args;

const authorizer = new VirtualAuthorizer();
authorizer.addAnonymous(MemoryFileSystem.of({ "/hello.txt": "Hello.\n" }));

await using server = new FtpServer({
  authorizer,
  listen: [{ host: "0.0.0.0", port: Number(port) }],
  passive: {
    ports: { from: 50_000, to: 50_100 }, // One for each transfer at a time.
    addresses: { [localAddress]: routerAddress },
  },
});
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
