import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { Step, Target } from "./real_client.ts";
import { authorityOf, linesOf, runClient } from "./run_client.ts";

testClient(realClient("Wget", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    const names: string[] = [];
    for (const step of steps) {
      await runClient(target, "wget", argsOf(target, step));
      if (step.operation !== "list") continue;
      const listing = linesOf(await Deno.readTextFile(`${target.scratch}/.listing`));
      names.push(...listing.flatMap((line) => /^-(?:\S+ +){5}\w+ +\d+ +[\d:]+ (.*)$/.exec(line)?.[1] ?? []));
    }
    return names;
  },
}));

function argsOf(target: Target, { operation, remote, other }: Step): readonly string[] {
  const { protection, caFile, active } = target;
  const url = `${protection === "clear" ? "ftp" : "ftps"}://${authorityOf(target)}/${encodeURIComponent(remote)}`;
  const [, folder = "", name = ""] = /^(.*)\/([^/]*)$/.exec(other) ?? [];
  const how = {
    list: ["--no-remove-listing", "--output-document=/dev/null"],
    get: [`--output-document=${other}`],
    resumeGet: ["--continue", `--directory-prefix=${folder}`],
    mirrorGet: ["--recursive", "--no-host-directories", "--cut-dirs=1", `--directory-prefix=${folder}/${name}`],
  }[operation as string] ?? [];
  return [
    "--no-verbose",
    "--tries=1",
    "--timeout=20",
    "--no-glob",
    `--user=${USER.name}`,
    `--password=${USER.password}`,
    ...protection === "implicit" ? ["--ftps-implicit"] : [],
    ...caFile === undefined ? [] : [`--ca-certificate=${caFile}`],
    ...active ? ["--no-passive-ftp"] : [],
    ...how,
    operation === "mirrorGet" || remote === "" ? `${url}/` : url,
  ];
}
