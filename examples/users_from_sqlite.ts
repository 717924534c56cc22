/**
 * An account source of its own: users of an SQLite database, which other programs may change at any time.
 *
 * Each login reads the database, so the next one sees what has changed; sessions that are under way keep what they have. The
 * source only finds a row by its name. Comparing hashes, the same work for names that do not exist, and remembering who has
 * just logged in are for `PasswordAuthorizer`. The password is one that `ftpsd hash-password` makes; the home is one folder
 * below the homes.
 *
 * ```sh
 * mkdir -p homes/alice
 * sqlite3 users.db "CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT, home TEXT, permissions TEXT)"
 * sqlite3 users.db "INSERT INTO users VALUES ('alice', '$(deno run main.ts hash-password)', 'alice', 'elradfmw')"
 * deno run --allow-net=127.0.0.1 --allow-read=users.db,homes --allow-write=homes examples/users_from_sqlite.ts users.db homes 2121
 * ```
 *
 * Try, with the password that was hashed:
 *
 * ```sh
 * curl --ssl-reqd --insecure --user alice --upload-file README.md ftp://127.0.0.1:2121/
 * sqlite3 users.db "UPDATE users SET permissions = 'elr'"
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { type AccountSource, FtpServer, LocalFileSystem, PasswordAuthorizer, WriteClaims } from "@ftpsd/ftpsd";
import { DatabaseSync } from "node:sqlite";

const [file = "users.db", homes = "homes", port = "2121"] = Deno.args;
using database = new DatabaseSync(file, { readOnly: true });
const select = database.prepare("SELECT password, home, permissions FROM users WHERE name = ?");

const source: AccountSource = {
  find(name) {
    const row = select.get(name);
    if (row === undefined) return undefined;
    return { password: `${row.password}`, home: `${row.home}`, permissions: `${row.permissions}` };
  },
};

const writeClaims = new WriteClaims(); // One for all sessions, so that no file is written by two of them.
const authorizer = new PasswordAuthorizer(source, {
  openHome(home) {
    // One folder below the homes, whatever the database says.
    if (!/^[\w-]+$/.test(home)) throw new TypeError(`The home ${JSON.stringify(home)} is not the name of a folder`);
    return new LocalFileSystem(`${homes}/${home}`, { writeClaims });
  },
});

await using server = new FtpServer({
  authorizer,
  listen: [{ host: "127.0.0.1", port: Number(port) }],
  on: { internalError: ({ message }) => console.error(message) }, // A row that cannot be used; clients never see it.
});
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
