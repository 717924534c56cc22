import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { Step, Target } from "./real_client.ts";
import { authorityOf, runClient } from "./run_client.ts";

testClient(realClient("Wput", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    for (const { operation, remote, other } of steps) {
      const path = remote.split("/").map(encodeURIComponent).join("/");
      const url = `ftp://${USER.name}:${USER.password}@${authorityOf(target)}/${path}`;
      const root = other.replace(/[^/]*$/, "");
      await runClient(target, "wput", [
        "--verbose",
        "--tries=1",
        "--timeout=100",
        "--waitretry=0",
        "--force-tls",
        // In ASCII, its choice for .txt, it doubles a CR that stands at the end of its buffer.
        "--binary",
        ...target.active ? ["--port-mode"] : [],
        ...operation === "put" ? ["--reupload", "--dont-continue"] : [],
        ...operation === "mirrorPut" ? [`--basename=${root}`] : [],
        other,
        operation === "mirrorPut" ? url.replace(/[^/]*$/, "") : url,
      ]);
    }
    return [];
  },
}));
