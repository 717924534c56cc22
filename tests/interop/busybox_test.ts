import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { Step, Target } from "./real_client.ts";
import { runClient } from "./run_client.ts";

testClient(realClient("BusyBox ftpget, ftpput", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    const { host, port } = target;
    for (const { operation, remote, other } of steps) {
      const login = ["-u", USER.name, "-p", USER.password, "-P", String(port)];
      const args = operation === "put"
        ? ["ftpput", ...login, host, remote, other]
        : ["ftpget", ...login, ...operation === "resumeGet" ? ["-c"] : [], host, other, remote];
      await runClient(target, "busybox", args);
    }
    return [];
  },
}));
