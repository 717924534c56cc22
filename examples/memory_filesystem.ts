/**
 * Files that are never on a disk: some that the program offers, and an inbox of bounded size.
 *
 * Anonymous users read what the program offers; `/latest.json` is written anew after each upload, and nobody ever reads
 * half of it. The user camera stores files in `/inbox`, 64 MiB in all; what exceeds them is refused (452).
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 examples/memory_filesystem.ts 2121
 * ```
 *
 * Try:
 *
 * ```sh
 * curl --ssl-reqd --insecure --user camera:12345 --upload-file README.md ftp://127.0.0.1:2121/
 * curl --ssl-reqd --insecure ftp://127.0.0.1:2121/latest.json
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { FtpServer, MemoryFileSystem, readOnly, VirtualAuthorizer } from "@ftpsd/ftpsd";

const [port = "2121"] = Deno.args;

const offered = MemoryFileSystem.of({ "/welcome.txt": "Welcome.\n", "/latest.json": "null\n" });
const inbox = new MemoryFileSystem({ maxBytes: 64 * 1024 * 1024 });

/** Puts a file in the place of the old one, in one step. */
async function offer(path: string, text: string): Promise<void> {
  const { signal } = new AbortController(); // Nobody gives it up.
  const file = await offered.openWrite(path, "replace");
  try {
    await file.write(new TextEncoder().encode(text), { signal });
    await file.finish({ signal });
  } finally {
    file.close();
  }
}

const authorizer = new VirtualAuthorizer();
authorizer.addUser("camera", "12345", inbox, { permissions: "elw" });
authorizer.addAnonymous(readOnly(offered));

await using server = new FtpServer({
  authorizer,
  listen: [{ host: "127.0.0.1", port: Number(port) }],
  on: {
    fileReceived: ({ path, bytes, time }) => offer("/latest.json", `${JSON.stringify({ path, bytes, time })}\n`),
    internalError: ({ message }) => console.error(message),
  },
});
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);

Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));
await server.finished;
