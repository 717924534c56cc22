import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { Step, Target } from "./real_client.ts";
import { linesOf, runClient } from "./run_client.ts";

testClient(realClient("ftpcopy, ftpls", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    const names: string[] = [];
    const login = ["-u", USER.name, "-p", USER.password];
    for (const { operation, remote, other } of steps) {
      const folder = operation === "mirrorGet" ? other : other.replace(/\/[^/]*$/, "");
      const host = `${target.host}:${target.port}`;
      const args = operation === "list"
        ? [...login, host, `/${remote}`]
        : [...login, "--no-delete", "--tries=1", host, `/${remote}`, folder];
      const output = await runClient(target, operation === "list" ? "ftpls" : "ftpcopy", args);
      if (operation === "list") {
        names.push(...linesOf(output).flatMap((line) => /^file \S+ \S+ +\S+ +[KMG]?B (.*)$/.exec(line)?.[1] ?? []));
      }
    }
    return names;
  },
}));
