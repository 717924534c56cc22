/**
 * What `packaging/` starts: one configuration, in a unit of systemd and in an image.
 *
 * @module
 */

import { PUBLISHED, runArguments } from "../../lib/cli/print_permissions.ts";
import { formatSystemdUnit } from "../../lib/cli/service_files.ts";
import type { Configuration } from "../../lib/settings/table.ts";
import { findPermissionNeeds, type PermissionNeeds } from "../../lib/check/permissions.ts";
import { parseDatabaseAddress } from "../../lib/state/postgres/database_address.ts";
import { readConfiguration } from "../../lib/settings/read_configuration.ts";

/** Where the packages have their configuration file. */
export const PACKAGED_FILE = "/etc/ftpsd/ftpsd.yaml";

/** Its copy in the project. */
export const PACKAGED_SOURCE = new URL("../../packaging/ftpsd.yaml", import.meta.url);

/** Reads it as if it stood in its place. */
export async function readPackagedConfiguration(): Promise<Configuration> {
  const text = await Deno.readTextFile(PACKAGED_SOURCE);
  return readConfiguration(text, { file: PACKAGED_FILE, resolve: refuse });
}

/** Words behind `deno` that serve it with a program. */
export async function packagedArguments(program: string): Promise<string[]> {
  const needs = findPermissionNeeds(await readPackagedConfiguration(), PACKAGED_FILE);
  return [...runArguments(needs, program), "serve", "--config", PACKAGED_FILE];
}

/** Where the database of packaging/cluster is, as its state.url says there. */
const CLUSTER_DATABASE = parseDatabaseAddress("postgres://ftpsd:secret@db.example.org/ftpsd");

/** The configuration of the nodes of packaging/cluster, and what they need. */
export async function readClusterNode(): Promise<{ configuration: Configuration; needs: PermissionNeeds }> {
  const text = await Deno.readTextFile(new URL("../../packaging/cluster/ftpsd.yaml", import.meta.url));
  const configuration = readConfiguration(text, { file: PACKAGED_FILE, resolve: refuse });
  const database = { address: CLUSTER_DATABASE, authorities: [] };
  return { configuration, needs: findPermissionNeeds(configuration, PACKAGED_FILE, undefined, { database }) };
}

/** Writes the unit of packaging/cluster, which is the same on all nodes. */
export async function makeClusterUnit(): Promise<string> {
  const { configuration, needs } = await readClusterNode();
  const command = ["/usr/bin/deno", ...runArguments(needs, PUBLISHED), "serve", "--config", PACKAGED_FILE];
  return [
    "# Made of packaging/cluster/ftpsd.yaml by `deno task docs`; the same on all nodes. For names of your own:",
    `# ftpsd permissions --config ${PACKAGED_FILE} --systemd`,
    `${formatSystemdUnit(configuration, { needs, command, usesDeno: true })}\n`,
  ].join("\n");
}

/** Writes the unit. */
export async function makeSystemdUnit(): Promise<string> {
  const configuration = await readPackagedConfiguration();
  const needs = findPermissionNeeds(configuration, PACKAGED_FILE);
  const command = ["/usr/bin/deno", ...await packagedArguments(PUBLISHED)];
  return [
    "# Made of packaging/ftpsd.yaml by `deno task docs`. For a configuration of your own:",
    `# ftpsd permissions --config ${PACKAGED_FILE} --systemd`,
    `${formatSystemdUnit(configuration, { needs, command, usesDeno: true })}\n`,
  ].join("\n");
}

function refuse(path: string): string {
  if (!path.startsWith("/")) throw new Error(`Cannot package "${path}": it is relative`);
  return path;
}
