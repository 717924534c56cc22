import { USER } from "../helpers/test_server.ts";
import { PARALLEL_FILES, testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { Step, Target } from "./real_client.ts";
import { authorityOf, runClient } from "./run_client.ts";

testClient(realClient("Axel", {
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
}));
