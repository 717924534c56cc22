/**
 * What of a configuration was opened at the start and stays as it is until the server ends.
 *
 * @module
 */

import { restartPaths } from "../settings/flags.ts";
import { formatPath, type KeyPath, valueAt, withValue } from "../settings/key_path.ts";
import { CONFIGURATION, type Configuration } from "../settings/table.ts";
import type { ServerPlan } from "./worker_messages.ts";

/** What holds after a reload, and what to say about it. */
export interface Reloaded {
  readonly plan: ServerPlan;
  /** A line for each change that waits for a restart. */
  readonly needs: readonly string[];
}

/** A change that waits for a restart. */
interface Kept {
  readonly path: KeyPath;
  /** What stays, if it is more than the key says. */
  readonly stays?: string;
  /** The next plan, with the running one's part in it. */
  readonly plan: ServerPlan;
}

/** Finds the next change that has to wait; `undefined` where there is none. */
type Keep = (running: ServerPlan, next: ServerPlan) => Kept | undefined;

/** Settings of which only some changes wait, and then each of which every change does. */
const KEPT: readonly Keep[] = [
  keepTls,
  ...restartPaths(CONFIGURATION).map((path): Keep => (running, next) => keepValue(path, running, next)),
  keepCertificateOfAcme,
  keepCertificate,
  keepSessionReuse,
  keepAdmin,
  keepHooks,
];

/** Puts what cannot change into what is to hold from now on. */
export function applyReload(running: ServerPlan, next: ServerPlan): Reloaded {
  let plan = withQueue(running, next);
  const needs: string[] = [];
  for (const keep of KEPT) {
    const kept = keep(running, plan);
    if (kept === undefined) continue;
    plan = kept.plan;
    const { path, stays = "all" } = kept;
    needs.push(`${formatPath(path)}: the change needs a restart; until then ${stays} stays as it was`);
  }
  return { plan, needs };
}

function keepValue(path: KeyPath, running: ServerPlan, next: ServerPlan): Kept | undefined {
  const value = valueAt(running.configuration, path);
  if (JSON.stringify(value) === JSON.stringify(valueAt(next.configuration, path))) return undefined;
  return { path, plan: withSetting(next, path, value) };
}

/** Whether there is TLS is decided at the start, and with it the risks that the server has been started with. */
function keepTls({ configuration: { tls }, files }: ServerPlan, { configuration }: ServerPlan): Kept | undefined {
  if ((tls.policy === "off") === (configuration.tls.policy === "off")) return undefined;
  const accepted = (["clear-text-control", "clear-text-data", "no-close-notify"] as const)
    .map((risk) => ({ risk, reason: "it was accepted when the server was started" }));
  const acceptRisks = [...configuration.acceptRisks, ...accepted];
  return {
    path: ["tls", "policy"],
    stays: "all of tls",
    plan: { configuration: { ...configuration, tls, acceptRisks }, files },
  };
}

/** One that is ordered cannot give its place to one of files. */
function keepCertificateOfAcme(
  { configuration: { tls: { acme } }, files }: ServerPlan,
  next: ServerPlan,
): Kept | undefined {
  const { certificate, key: _, ...tls } = next.configuration.tls;
  if (acme === undefined || certificate === undefined) return undefined;
  return {
    path: ["tls", "certificate"],
    plan: {
      configuration: { ...next.configuration, tls },
      files: { ...next.files, certificate: files.certificate },
    },
  };
}

/** A certificate can take the place of another, and of the one made in memory, which cannot be made anew. */
function keepCertificate({ configuration: { tls }, files }: ServerPlan, next: ServerPlan): Kept | undefined {
  if (tls.certificate === undefined || next.configuration.tls.certificate !== undefined) return undefined;
  const { certificate, key } = tls;
  const kept = { ...next.configuration.tls, certificate, ...key !== undefined && { key } };
  return {
    path: ["tls", "certificate"],
    plan: {
      configuration: { ...next.configuration, tls: kept },
      files: { ...next.files, certificate: files.certificate },
    },
  };
}

/** Several event loops may run by now, and sessions of one cannot be resumed in another. */
function keepSessionReuse({ configuration: { tls } }: ServerPlan, next: ServerPlan): Kept | undefined {
  const { configuration } = next;
  if (configuration.tls.sessionReuse !== "require" || tls.sessionReuse === "require") return undefined;
  if (configuration.workers === 1) return undefined;
  const path = ["tls", "sessionReuse"];
  return { path, plan: withSetting(next, path, tls.sessionReuse) };
}

/** The listener stays, and so does its wish for a token, which can be another one. */
function keepAdmin({ configuration: { admin: before }, files }: ServerPlan, next: ServerPlan): Kept | undefined {
  const { admin: after, ...configuration } = next.configuration;
  if (JSON.stringify(listenerOf(before)) === JSON.stringify(listenerOf(after))) return undefined;
  const tokenFile = before?.tokenFile === undefined ? undefined : after?.tokenFile;
  const admin = before && { ...before, ...tokenFile !== undefined && { tokenFile } };
  const { adminToken: _, ...others } = next.files;
  const { adminToken } = tokenFile === undefined ? files : next.files;
  return {
    path: ["admin"],
    ...tokenFile !== undefined && { stays: "all but the token" },
    plan: {
      configuration: { ...configuration, ...admin !== undefined && { admin } },
      files: { ...others, ...adminToken !== undefined && { adminToken } },
    },
  };
}

function listenerOf(admin: Configuration["admin"]): unknown {
  return admin && { ...admin, tokenFile: undefined };
}

/** The queue stays open when the last hook goes. */
function withQueue({ configuration: { hooks } }: ServerPlan, next: ServerPlan): ServerPlan {
  if (hooks === undefined || next.configuration.hooks !== undefined) return next;
  const { queue, maxWaiting, keepFor } = hooks;
  return { ...next, configuration: { ...next.configuration, hooks: { queue, maxWaiting, keepFor } } };
}

/** The queue is opened at the start, and event loops know by then whether there is one. */
function keepHooks(running: ServerPlan, next: ServerPlan): Kept | undefined {
  const [before, after] = [running.configuration.hooks, next.configuration.hooks];
  if (after === undefined || before?.queue === after.queue) return undefined;
  if (before !== undefined) {
    return { path: ["hooks", "queue"], plan: withSetting(next, ["hooks", "queue"], before.queue) };
  }
  const { hooks: _, ...configuration } = next.configuration;
  return { path: ["hooks"], plan: { ...next, configuration } };
}

function withSetting({ configuration, files }: ServerPlan, path: KeyPath, value: unknown): ServerPlan {
  return { configuration: withValue<Configuration>(configuration, path, value), files };
}
