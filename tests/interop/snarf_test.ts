import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { packageVersion } from "./package_version.ts";
import type { Step, Target } from "./real_client.ts";
import { authorityOf, runClient } from "./run_client.ts";

testClient({
  name: "snarf",
  origin: "Debian: snarf",
  needs: ["snarf"],
  protections: [],
  operations: ["get", "resumeGet"],
  also: ["active mode", "UTF-8 names", "odd names"],
  version: () => packageVersion("snarf"),

  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    for (const { operation, remote, other } of steps) {
      // It decodes nothing.
      const url = `ftp://${USER.name}:${USER.password}@${authorityOf(target)}/${remote}`;
      const options = [...target.active ? ["-a"] : [], ...operation === "resumeGet" ? ["-r"] : []];
      await runClient(target, "snarf", ["-q", ...options, url, other]);
    }
    return [];
  },
});
