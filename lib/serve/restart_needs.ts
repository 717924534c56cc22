/**
 * What of a configuration was opened at the start and stays as it is until the server ends.
 *
 * @module
 */

import type { Configuration } from "../config/configuration.ts";
import type { ServerPlan } from "./worker_messages.ts";

/** A key that a reload cannot apply. */
interface FixedKey {
  readonly key: string;
  /** What stays, if it is more than the key says. */
  readonly stays?: string;
  /** What is compared. */
  readonly valueOf: (configuration: Configuration) => unknown;
  /** The next plan, with the running one's part in it. */
  readonly keep: (running: ServerPlan, next: ServerPlan) => ServerPlan;
}

const FIXED: readonly FixedKey[] = [
  {
    key: "tls.policy",
    stays: "all of tls",
    valueOf: ({ server }) => server.tls?.policy === "off",
    keep: keepTls,
  },
  {
    key: "listen",
    valueOf: ({ server }) =>
      (server.listen ?? [{}]).map(({ host = "127.0.0.1", port = 2121, tls = "explicit" }) => [host, port, tls]),
    keep: ({ configuration: { server } }, next) => withServer(next, { listen: server.listen }),
  },
  {
    key: "encoding",
    valueOf: ({ server }) => server.encoding ?? "utf-8",
    keep: ({ configuration: { server } }, next) => withServer(next, { encoding: server.encoding }),
  },
  {
    key: "passive.ports",
    valueOf: ({ server }) => server.passive?.ports ?? null,
    keep: ({ configuration: { server } }, next) =>
      withServer(next, { passive: withPart(next.configuration.server.passive, { ports: server.passive?.ports }) }),
  },
  {
    key: "tls.certificate",
    // A certificate can take the place of another, and of the one made in memory, which cannot be made anew.
    valueOf: ({ certificateFiles }) => certificateFiles === undefined,
    keep: ({ configuration: { certificateFiles }, files: { certificate } }, next) =>
      certificateFiles === undefined ? next : {
        configuration: { ...next.configuration, certificateFiles },
        files: { ...next.files, certificate },
      },
  },
  ...(["minVersion", "maxVersion"] as const).map((version): FixedKey => ({
    key: `tls.${version}`,
    valueOf: ({ server }) => server.tls?.[version] ?? (version === "minVersion" ? "TLSv1.2" : "TLSv1.3"),
    keep: ({ configuration: { server } }, next) =>
      withServer(next, { tls: withPart(next.configuration.server.tls, { [version]: server.tls?.[version] }) }),
  })),
  {
    key: "workers",
    valueOf: ({ workers }) => workers,
    keep: ({ configuration: { workers } }, next) => ({ ...next, configuration: { ...next.configuration, workers } }),
  },
  {
    key: "tls.sessionReuse",
    valueOf: requiresSessionReuse,
    // Several event loops may run by now, and sessions of one cannot be resumed in another.
    keep: ({ configuration }, next) =>
      requiresSessionReuse(configuration) || next.configuration.workers === 1 ? next : withServer(next, {
        tls: withPart(next.configuration.server.tls, { sessionReuse: configuration.server.tls?.sessionReuse }),
      }),
  },
  {
    key: "log",
    valueOf: ({ log }) => [log.format, log.level, log.transfers ?? null],
    keep: ({ configuration: { log } }, next) => ({ ...next, configuration: { ...next.configuration, log } }),
  },
];

function requiresSessionReuse({ server }: Configuration): boolean {
  return server.tls?.sessionReuse === "require";
}

/** What holds after a reload, and what to say about it. */
export interface Reloaded {
  readonly plan: ServerPlan;
  /** A line for each change that waits for a restart. */
  readonly needs: readonly string[];
}

/** Puts what cannot change into what is to hold from now on. */
export function applyReload(running: ServerPlan, next: ServerPlan): Reloaded {
  let plan = next;
  const needs: string[] = [];
  for (const { key, stays = "all", valueOf, keep } of FIXED) {
    if (isEqual(valueOf(running.configuration), valueOf(plan.configuration))) continue;
    const kept = keep(running, plan);
    if (kept === plan) continue;
    plan = kept;
    needs.push(`${key}: the change needs a restart; until then ${stays} stays as it was`);
  }
  return { plan, needs };
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Whether there is TLS is decided at the start, and with it the risks that the server has been started with. */
function keepTls({ configuration, files }: ServerPlan, next: ServerPlan): ServerPlan {
  const { server, certificateFiles, clientCertificates } = configuration;
  const accepted = (["clear-text-control", "clear-text-data", "no-close-notify"] as const)
    .map((risk) => ({ risk, reason: "it was accepted when the server was started" }));
  const { configuration: changed } = withServer(next, { tls: server.tls });
  return {
    configuration: {
      ...changed,
      certificateFiles,
      clientCertificates,
      acceptRisks: [...changed.acceptRisks, ...accepted],
    },
    files,
  };
}

function withServer({ configuration, files }: ServerPlan, part: Partial<Changeable>): ServerPlan {
  return { configuration: { ...configuration, server: withPart(configuration.server, part) }, files };
}

/** A part of the server's options, or nothing, so that its default holds. */
type Changeable = { readonly [Key in keyof Configuration["server"]]: Configuration["server"][Key] | undefined };

/** Puts values in; what is `undefined` is left out, so that defaults hold. */
function withPart<Whole extends object>(whole: Whole | undefined, part: object): Whole {
  const entries = Object.entries({ ...whole, ...part }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Whole;
}
