/**
 * Does something with each file that has been received, one at a time: here it prints its SHA-256.
 *
 * `server.events()` is for work that takes time. While one file is worked on, at most 1,000 more wait; if that is not enough,
 * `eventsMissed` says how many were left out. After Ctrl-C the files that wait are worked on before the program ends.
 * Handlers in `on` are for what is quick: they run beside each other, without bound. Neither holds the server up.
 *
 * ```sh
 * mkdir -p inbox
 * deno run --allow-net=127.0.0.1 --allow-read=inbox --allow-write=inbox examples/on_file_received.ts inbox 2121
 * ```
 *
 * Try:
 *
 * ```sh
 * curl --ssl-reqd --insecure --user scanner:12345 --upload-file README.md ftp://127.0.0.1:2121/
 * curl --ssl-reqd --insecure --user scanner:wrong ftp://127.0.0.1:2121/
 * ```
 *
 * @module
 */

// deno-lint-ignore-file no-console -- what it prints is what it is for

import { createHash } from "node:crypto";
import { type FileSystem, FtpServer, LocalFileSystem, VirtualAuthorizer } from "@ftpsd/ftpsd";

const [folder = "inbox", port = "2121"] = Deno.args;

const inbox = new LocalFileSystem(folder);
const authorizer = new VirtualAuthorizer();
authorizer.addUser("scanner", "12345", inbox, { permissions: "elw" });

/** Reads the file where the server has put it: paths of events start from the home of their user. */
async function digest(files: FileSystem, path: string): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(64 * 1024);
  const { signal } = new AbortController(); // Nobody gives it up.
  const file = await files.openRead(path, { signal });
  try {
    for (let count = await file.read(buffer, { signal }); count; count = await file.read(buffer, { signal })) {
      hash.update(buffer.subarray(0, count));
    }
  } finally {
    file.close();
  }
  return hash.digest("hex");
}

await using server = new FtpServer({
  authorizer,
  listen: [{ host: "127.0.0.1", port: Number(port) }],
  on: {
    loginFailed: ({ remote, username }) => console.error(`Login of ${username} from ${remote} failed`),
    transferIncomplete: ({ path, reason }) => console.error(`${path} is incomplete: ${reason}`),
    internalError: ({ message }) => console.error(message),
  },
});
const received = server.events({ only: ["fileReceived"], capacity: 1000 }); // Before listen(), so that none is missed.
await server.listen();
for (const { host, port } of server.addresses) console.log(`Listening on ${host}:${port}`);
Deno.addSignalListener("SIGINT", () => void server.shutdown({ graceMs: 10_000 }));

for await (const event of received) {
  if (event.event === "eventsMissed") {
    console.error(`${event.count} files came too fast; look for them in ${folder}`);
    continue;
  }
  try {
    console.log(`${event.path}: ${event.bytes} bytes, SHA-256 ${await digest(inbox, event.path)}`);
  } catch (error) {
    console.error(`Cannot read ${event.path}: ${error}`); // Somebody may have replaced or removed it by now.
  }
}
