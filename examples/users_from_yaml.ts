/**
 * Users of a YAML file, read again on SIGHUP without dropping a session.
 *
 * The form of the file is this program's own; `examples/users.yaml` shows it. Its users are alice with the password
 * "correct horse" and bob with "battery staple". A file that cannot be used changes nothing. Sessions of users that are no
 * longer in the file are ended.
 *
 * ```sh
 * mkdir -p homes/alice homes/bob
 * deno run --allow-net=127.0.0.1 --allow-read=examples/users.yaml,homes --allow-write=homes examples/users_from_yaml.ts examples/users.yaml 2121
 * ```
 *
 * Try, before and after a change of the file and `kill -HUP`:
 *
 * ```sh
 * curl --ssl-reqd --insecure --user "bob:battery staple" ftp://127.0.0.1:2121/
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { FtpServer, type FtpServerOptions, LocalFileSystem, VirtualAuthorizer, WriteClaims } from "@ftpsd/ftpsd";
import { parse } from "@std/yaml";

/** An entry of the file. */
interface User {
  readonly name: string;
  readonly password: string;
  readonly home: string;
  readonly permissions: string;
}

function isUser(value: unknown): value is User {
  if (typeof value !== "object" || value === null) return false;
  const user = value as Record<string, unknown>;
  return ["name", "password", "home", "permissions"].every((key) => typeof user[key] === "string");
}

const [file = "examples/users.yaml", port = "2121"] = Deno.args;
/** Outlives the authorizers, so that an upload from before SIGHUP and one from after it are not of the same file. */
const writeClaims = new WriteClaims();

function readUsers(): VirtualAuthorizer {
  const users = parse(Deno.readTextFileSync(file), { schema: "core" });
  if (!Array.isArray(users) || !users.every(isUser)) {
    throw new TypeError("It must be a list of users with name, password, home and permissions, all texts");
  }
  const authorizer = new VirtualAuthorizer();
  for (const { name, password, home, permissions } of users) {
    authorizer.addUser(name, password, new LocalFileSystem(home, { writeClaims }), { permissions });
  }
  return authorizer;
}

const options: Omit<FtpServerOptions, "authorizer"> = { listen: [{ host: "127.0.0.1", port: Number(port) }] };
await using server = new FtpServer({ ...options, authorizer: readUsers() });
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGHUP", async () => {
  try {
    const authorizer = readUsers();
    await server.reconfigure({ ...options, authorizer });
    for (const { session, username = "", isLoggedIn } of server.sessions) {
      if (isLoggedIn && !authorizer.hasUser(username)) server.disconnect(session, "This account is closed.");
    }
    console.log(`Read ${file} again`);
  } catch (error) {
    // Only the first line: behind it, an error of YAML may quote the file, with its hashes.
    console.error(`Nothing has changed: cannot use ${file}: ${String(error).split("\n")[0]}`);
  }
});
Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
