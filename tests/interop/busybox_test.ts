import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { packageVersion } from "./package_version.ts";
import type { Step, Target } from "./real_client.ts";
import { runClient } from "./run_client.ts";

testClient({
  name: "BusyBox ftpget, ftpput",
  origin: "Debian: busybox",
  needs: ["busybox"],
  protections: [],
  operations: ["get", "put", "resumeGet"],
  also: ["IPv6", "UTF-8 names", "odd names"],
  version: () => packageVersion("busybox"),

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
});
