/**
 * How ftplib of Python is run.
 *
 * @module
 */

import { requireProgram } from "../helpers/run_program.ts";
import { USER } from "../helpers/test_server.ts";
import { realClient } from "./clients.ts";
import type { RealClient, Step, Target } from "./real_client.ts";

const CLIENT = new URL("../helpers/ftplib_client.py", import.meta.url).pathname;

/** ftplib of Python. */
export const FTPLIB: RealClient = realClient("Python ftplib", {
  async run(target: Target, steps: readonly Step[]): Promise<readonly string[]> {
    const { results } = await ftplib(target, await Promise.all(steps.map((step) => jobStep(target, step))));
    const listed = steps.findIndex(({ operation }) => operation === "list");
    return (results[listed] ?? []) as string[];
  },
});

async function jobStep(target: Target, { operation, remote, other }: Step): Promise<JobStep> {
  switch (operation) {
    case "list":
      return ["nlst", ...remote === "" ? [] : [remote]];
    case "get":
      return ["retrieve", remote, other];
    case "put":
      return ["store", other, remote];
    case "resumeGet":
      return ["retrieve", remote, other, (await Deno.stat(other)).size];
    case "resumePut":
      return ["store", other, remote, (await ftplib(target, [["size", remote]])).results[0] as number];
    case "mkdir":
      return ["make_folder", remote];
    case "rmdir":
      return ["remove_folder", remote];
    case "rename":
      return ["rename", remote, other];
    default:
      return [operation, remote];
  }
}

/** A step: its name, and what goes with it. */
export type JobStep = readonly (string | number)[];

/** What the steps have brought. */
export interface JobOutput {
  readonly results: readonly unknown[];
  readonly farewell: string;
  readonly connections: readonly { readonly version: string; readonly reused: boolean }[];
}

/** Runs steps in one session. */
export async function ftplib(
  target: Target,
  steps: readonly JobStep[],
  options: { readonly offerSession: boolean } = { offerSession: false },
): Promise<JobOutput> {
  const { host, port, protection, active, caFile = null } = target;
  const job = { host, port, protection, active, caFile, user: USER.name, password: USER.password, steps, ...options };
  return JSON.parse(await requireProgram("python3", [CLIENT, JSON.stringify(job)]));
}
