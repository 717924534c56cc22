/**
 * What a configuration says that cannot be true together, though each value is sound. It is looked for in what results of
 * the file and the command line.
 *
 * @module
 */

import type { PermissionOverride } from "../accounts/permission.ts";
import { changedCommands } from "../commands/command_changes.ts";
import { findOptionContradictions } from "../settings/contradictions.ts";
import { errorAt, type Finding } from "../settings/finding.ts";
import type { KeyPath } from "../settings/key_path.ts";
import type { Configuration } from "./configuration.ts";
import { show } from "./show_value.ts";

/** Finds everything in a configuration that contradicts something else in it. */
export function findContradictions(configuration: Configuration): Finding[] {
  const { server, clientCertificates } = configuration;
  return [
    ...inTls(configuration),
    ...findOptionContradictions({ ...server, tls: { ...server.tls, clientCertificates } }),
    ...inCommands(configuration),
    ...inAccounts(configuration),
  ];
}

function* inTls(
  { server: { tls = {} }, certificateFiles, clientCertificates }: Configuration,
): Generator<Finding> {
  const { mode, caFile } = clientCertificates;
  if (mode !== "none" && caFile === undefined) {
    yield errorAt(["tls", "clientCertificates", "mode"], `is ${mode}, but ca names nobody who signs them`);
  }
  if (tls.policy !== "off") return;
  const pointless = [["certificate", certificateFiles], ["sessionReuse", tls.sessionReuse]] as const;
  for (const [part, value] of pointless) {
    if (value !== undefined) yield errorAt(["tls", part], "is given, but tls.policy is off");
  }
}

function* inCommands({ server: { commands = {} } }: Configuration): Generator<Finding> {
  for (const [index, verb] of (commands.disabled ?? []).entries()) {
    try {
      changedCommands({ disabled: [verb] });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      yield errorAt(["commands", "disabled", index], error.message);
    }
  }
}

function* inAccounts({ users, anonymous }: Configuration): Generator<Finding> {
  const names = new Set<string>();
  for (const [index, { name, overrides }] of users.entries()) {
    const path = ["users", index, "name"];
    if (names.has(name)) yield errorAt(path, `user ${show(name)} is given twice`);
    names.add(name);
    if (name === "anonymous") yield errorAt(path, "is anonymous; use the key anonymous for that account");
    if (/\p{Cc}/u.test(name)) yield errorAt(path, `${show(name)} has control characters`);
    yield* inOverrides(["users", index, "overrides"], overrides);
  }
  yield* inOverrides(["anonymous", "overrides"], anonymous?.overrides);
  if (users.length === 0 && anonymous === undefined) {
    yield errorAt([], "nobody can log in; give users or anonymous");
  }
}

function* inOverrides(at: KeyPath, overrides: readonly PermissionOverride[] = []): Generator<Finding> {
  const paths = new Set<string>();
  for (const [index, { path }] of overrides.entries()) {
    if (paths.has(path)) yield errorAt([...at, index, "path"], `${show(path)} is given twice`);
    paths.add(path);
  }
}
