/**
 * Commands of its own, fewer commands, and rules: SITE COUNT, no SITE CHMOD, no programs, and hosts that are not served.
 *
 * A program can take commands away, ask for other permissions, refuse single commands, and add SITE commands; all of them
 * come after the server's own rules, and none of them lifts one. Addresses behind the port are refused with 421.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 examples/site_commands.ts 2121 192.0.2.7
 * ```
 *
 * Try (`-Q` sends a command, and `--silent` hides the listing's progress):
 *
 * ```sh
 * curl --verbose --silent --ssl-reqd --insecure --user user:12345 -Q "SITE COUNT /docs" -Q "SITE HELP" ftp://127.0.0.1:2121/
 * curl --ssl-reqd --insecure --user user:12345 --upload-file README.md ftp://127.0.0.1:2121/setup.exe
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { FtpServer, MemoryFileSystem, type PermittedCommand, type SiteCommand, VirtualAuthorizer } from "@ftpsd/ftpsd";

const [port = "2121", ...refusedHosts] = Deno.args;

/** Answers with the number of entries. What the file system throws becomes a reply like that of any other command. */
const count: SiteCommand = {
  name: "COUNT",
  argument: "required",
  isPathname: true, // Resolved by the server: never outside the home, and the user needs the permission there.
  permission: "l",
  help: "count the entries of a directory",
  async run({ account, path = "/", signal }) {
    let entries = 0;
    for await (const _ of account.fileSystem.list(path, { signal })) {
      signal.throwIfAborted(); // The client has left, or has sent ABOR.
      entries++;
    }
    return { code: 213, text: `${entries} entries` };
  },
};

/** A rule about names has to hold for every way to make one. */
function refusePrograms({ command, path }: PermittedCommand): string | undefined {
  const givesName = command === "STOR" || command === "APPE" || command === "RNTO";
  return givesName && path?.toLowerCase().endsWith(".exe") ? "Programs are not taken." : undefined;
}

const authorizer = new VirtualAuthorizer();
const home = MemoryFileSystem.of({ "/docs/one.txt": "1\n", "/docs/two.txt": "2\n" }, { maxBytes: 64 * 1024 * 1024 });
authorizer.addUser("user", "12345", home, { permissions: "elrfmwM" });

await using server = new FtpServer({
  authorizer,
  listen: [{ host: "127.0.0.1", port: Number(port) }],
  commands: {
    site: [count],
    disabled: ["SITE CHMOD", "HASH"], // As if they were not known: 500, and not in HELP and FEAT.
    permissions: { RNFR: "d", RNTO: "d" }, // Who renames must be somebody who may delete.
    refuse: refusePrograms,
  },
  refuseConnection: ({ host }) => refusedHosts.includes(host) ? "This host is not served." : undefined,
  on: {
    commandRefused: ({ remote, command, code, reply }) => console.log(`${remote} ${command}: ${code} ${reply}`),
    internalError: ({ message }) => console.error(message), // What run() and refuse() throw.
  },
});
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
