/**
 * Programs of ours that drive a client library of another language. Each takes the arguments
 *
 *     HOST PORT explicit|implicit|clear CA_FILE passive|active USER PASSWORD [OPERATION REMOTE OTHER]...
 *
 * does the steps in one session, and prints the names that `list` finds, one a line. CA_FILE is empty where the client is
 * to trust what it trusts by itself. It ends with another status than 0, and a word on stderr, when anything fails.
 *
 * @module
 */

import { USER } from "../helpers/test_server.ts";
import type { Step, Target } from "./real_client.ts";
import { type ClientRun, linesOf, runClient } from "./run_client.ts";

/** Path of a file in the folder of the drivers. */
export function driverPath(name: string): string {
  return new URL(`drivers/${name}`, import.meta.url).pathname;
}

/** Runs a driver: a program with its first arguments. */
export async function runDriver(
  command: readonly [program: string, ...args: string[]],
  target: Target,
  steps: readonly Step[],
  options: ClientRun = {},
): Promise<readonly string[]> {
  const { host, port, protection, caFile = "", active } = target;
  const [program, ...first] = command;
  const how = [host, String(port), protection, caFile, active ? "active" : "passive", USER.name, USER.password];
  const what = steps.flatMap(({ operation, remote, other }) => [operation, remote, other]);
  return linesOf(await runClient(target, program, [...first, ...how, ...what], options));
}

/** Path of the description of a package that `npm ci` puts beside the drivers. */
export function nodeModule(name: string): string {
  return driverPath(`node_modules/${name}/package.json`);
}
