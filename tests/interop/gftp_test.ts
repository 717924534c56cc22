import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { Step, Target } from "./real_client.ts";
import { linesOf, runClient } from "./run_client.ts";

testClient(realClient("gFTP", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    const { protection, caFile, active } = target;
    const scheme = { explicit: "ftps", implicit: "ftpsi", clear: "ftp" }[protection];
    // It compares the name of the host with the common name of the certificate, and with no other.
    const url = `${scheme}://${USER.name}:${USER.password}@localhost:${target.port}`;
    const opening = ["set verify_ssl_peer=1", `set passive_transfer=${active ? 0 : 1}`, `open ${url}`];
    const output = await runClient(target, "gftp-text", [], {
      input: [...opening, ...steps.flatMap(commandsOf), "quit", ""].join("\n"),
      env: caFile === undefined ? {} : { SSL_CERT_FILE: caFile },
      complaint: /\[31m(?!The server doesn't support SITE CHMOD)/,
    });
    // A line of a listing ends with the name, in a colour of its own.
    return linesOf(output.replaceAll("\x1b[", "[")).flatMap((line) =>
      /^\S*[d-][rwx-]{9} .*\[3\dm(?!\.\.)(.+)\[39m$/.exec(line)?.[1] ?? []
    );
  },
}));

function commandsOf({ operation, remote, other }: Step): readonly string[] {
  const folder = other.replace(/\/[^/]*$/, "");
  switch (operation) {
    case "list":
      return [`ls ${remote}`];
    case "get":
    case "mirrorGet":
      // What it has put itself is not in the listing that it has kept.
      return [`lcd ${folder}`, "clear cache", `get ${pattern(remote)}`];
    case "put":
    case "mirrorPut":
      return [`lcd ${folder}`, `put ${pattern(remote)}`];
    case "rename":
      return [`rename ${remote} ${other}`];
    default:
      return [`${operation} ${remote}`];
  }
}

/** It takes patterns, in which a question mark is any character. */
function pattern(name: string): string {
  return name.replace(/[^\w.-]/gu, "?");
}
