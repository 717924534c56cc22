import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { packageVersion } from "./package_version.ts";
import type { Step, Target } from "./real_client.ts";
import { authorityOf, runClient } from "./run_client.ts";

testClient({
  name: "Wput",
  origin: "Debian: wput",
  needs: ["wput"],
  tls: "GnuTLS",
  protections: ["explicit"],
  operations: ["put", "resumePut", "mirrorPut"],
  also: ["active mode", "UTF-8 names", "odd names"],
  defects: {
    "explicit TLS 1.3": {
      reason: "ends with an error of `read()` after the handshake, where the session tickets come",
      evidence: /read\(\) failed/,
    },
  },
  omitsCloseNotify: true,
  version: () => packageVersion("wput"),

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
});
