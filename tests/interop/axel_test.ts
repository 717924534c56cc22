import { USER } from "../helpers/test_server.ts";
import { PARALLEL_FILES, testClient } from "./client_suite.ts";
import { packageVersion } from "./package_version.ts";
import type { Step, Target } from "./real_client.ts";
import { authorityOf, runClient } from "./run_client.ts";

testClient({
  name: "Axel",
  origin: "Debian: axel",
  needs: ["axel"],
  protections: [],
  operations: ["get", "parallel"],
  also: ["UTF-8 names", "odd names"],
  defects: {
    "empty files": { reason: "ends by SIGFPE, a division by zero", evidence: /status 136/ },
  },
  version: () => packageVersion("axel"),

  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    for (const { operation, remote, other } of steps) {
      const names = operation === "parallel" ? PARALLEL_FILES.map((name) => `/${name}`) : [""];
      for (const name of names) {
        // It decodes nothing.
        const url = `ftp://${USER.name}:${USER.password}@${authorityOf(target)}/${remote}${name}`;
        const connections = operation === "parallel" ? "4" : "1";
        await runClient(target, "axel", ["--quiet", "-n", connections, "--output", `${other}${name}`, url]);
      }
    }
    return [];
  },
});
