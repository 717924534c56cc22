import { USER } from "../helpers/test_server.ts";
import { testClient } from "./client_suite.ts";
import { packageVersion } from "./package_version.ts";
import type { Step, Target } from "./real_client.ts";
import { authorityOf, linesOf, runClient } from "./run_client.ts";

testClient({
  name: "Wget",
  origin: "Debian: wget",
  needs: ["wget"],
  tls: "GnuTLS",
  protections: ["explicit", "implicit"],
  operations: ["list", "get", "resumeGet", "mirrorGet"],
  also: [
    "IPv6",
    "active mode",
    "active mode over IPv6",
    "refuses unknown certificates",
    "resumes TLS 1.2 sessions",
    "resumes TLS 1.3 sessions",
    "UTF-8 names",
    "odd names",
  ],
  distrust: /certificate/,
  version: () => packageVersion("wget"),

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
});

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
