/**
 * How curl is run.
 *
 * @module
 */

import { USER } from "../helpers/test_server.ts";
import { PARALLEL_FILES } from "./client_suite.ts";
import { realClient } from "./clients.ts";
import type { RealClient, Step, Target } from "./real_client.ts";
import { authorityOf, linesOf, runClient } from "./run_client.ts";

/** curl. */
export const CURL: RealClient = realClient("curl", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    const args = steps.flatMap((
      step,
      index,
    ) => [...index > 0 ? ["--next"] : [], ...common(target), ...argsOf(target, step)]);
    const names = linesOf(await runClient(target, "curl", args));
    return steps.some(({ operation }) => operation === "list") ? names : [];
  },
});

function common(target: Target): string[] {
  const trust = target.caFile === undefined ? [] : ["--cacert", target.caFile];
  const mode = target.active ? ["--ftp-port", "-", "--max-time", "5"] : [];
  const always = ["--silent", "--show-error", "--fail-early", "--globoff", "--ssl-reqd"];
  return [...always, ...trust, ...mode, "--user", `${USER.name}:${USER.password}`];
}

function argsOf(target: Target, { operation, remote, other }: Step): string[] {
  const scheme = target.protection === "implicit" ? "ftps" : "ftp";
  const url = `${scheme}://${authorityOf(target)}/${encodeURIComponent(remote)}`;
  const root = `${scheme}://${authorityOf(target)}/`;
  // The server's commands, with nothing listed.
  const quote = (
    ...commands: string[]
  ) => ["--head", "--output", "/dev/null", ...commands.flatMap((c) => ["--quote", c]), root];
  switch (operation) {
    case "list":
      return ["--list-only", url];
    case "get":
      return ["--output", other, url];
    case "put":
      return ["--upload-file", other, url];
    case "resumeGet":
      return ["--continue-at", "-", "--output", other, url];
    case "resumePut":
      return ["--continue-at", "-", "--upload-file", other, url];
    case "rename":
      return quote(`RNFR ${remote}`, `RNTO ${other}`);
    case "mkdir":
      return quote(`MKD ${remote}`);
    case "rmdir":
      return quote(`RMD ${remote}`);
    case "delete":
      return quote(`DELE ${remote}`);
    case "parallel":
      return [
        "--parallel",
        ...PARALLEL_FILES.flatMap((name) => ["--output", `${other}/${name}`, `${root}${remote}/${name}`]),
      ];
    default:
      throw new TypeError(`Cannot do "${operation}"`);
  }
}
