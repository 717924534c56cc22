/**
 * What the admin API can be asked, one row each, from which come the dispatch and the OpenAPI document.
 *
 * @module
 */

import * as v from "valibot";
import { addressBlock } from "../../protocol/host_port.ts";
import type { SessionInfo } from "../../session/session.ts";
import { sessionsNow } from "../gauges.ts";
import { type History, type SpanName, SPANS } from "../history.ts";
import type { RecentIncidents } from "../recent.ts";
import type { QuotaReport, SteeredServer } from "../steered.ts";
import {
  ACCOUNT,
  BAN,
  HISTORY_POINT,
  INCIDENT,
  KICK,
  KICKED,
  NEW_BAN,
  NODE,
  QUOTA,
  RELOADED,
  SERVER,
  SESSION,
  TRANSFER,
} from "./schemas.ts";

/** What routes work with. */
export interface ApiContext {
  readonly server: SteeredServer;
  readonly recent: RecentIncidents;
  readonly history: History;
}

/** What a route is asked. */
export interface ApiRequest {
  /** Values of `{name}` in the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Of the form that the route says. */
  readonly body: unknown;
}

/** What a route answers; `undefined`: 204. */
export type ApiAnswer = unknown;

/** It cannot be done; the message is for the client. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Schema = v.GenericSchema;

/** A question. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below `/api/v1`; `{name}` stands for one component. */
  readonly path: string;
  readonly summary: string;
  /** What a change does, for the audit; absent: it changes nothing. */
  readonly action?: string;
  /** Names of `{name}` in the query, with what they mean. */
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Schema;
  /** Form of the answer; absent: there is none (204). */
  readonly answer?: Schema;
  /** Status beside 200 or 204 that it may have, with what that means. */
  readonly failures?: Readonly<Record<number, string>>;
  readonly run: (context: ApiContext, request: ApiRequest) => ApiAnswer | Promise<ApiAnswer>;
}

/** All of them. */
export const ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/server",
    summary: "The server: version, listeners, certificate, accepted risks",
    answer: SERVER,
    run: ({ server }) => describeServer(server),
  },
  {
    method: "GET",
    path: "/sessions",
    summary: "Who is connected to this node",
    answer: v.array(SESSION),
    run: async ({ server }) => (await server.sessions()).map(describeSession),
  },
  {
    method: "DELETE",
    path: "/sessions/{session}",
    summary: "End a session: what it does is cut, and its client gets 421",
    action: "disconnect",
    failures: { 404: "No session has this id." },
    run: async ({ server }, { params: { session = "" } }) => {
      if (await server.disconnect({ session }) === 0) throw new ApiError(404, `there is no session ${session}`);
    },
  },
  {
    method: "POST",
    path: "/kicks",
    summary: "End sessions of an account, of an address, or one, on all nodes",
    action: "kick",
    body: KICK,
    answer: KICKED,
    run: async ({ server }, { body }) => ({ sessions: await server.disconnect(body as v.InferOutput<typeof KICK>) }),
  },
  {
    method: "GET",
    path: "/transfers",
    summary: "Files that are being transferred by this node, with progress and rate",
    answer: v.array(TRANSFER),
    run: async ({ server }) => (await server.sessions()).flatMap(describeTransfer),
  },
  {
    method: "GET",
    path: "/quotas",
    summary: "What is stored under each quota",
    answer: v.array(QUOTA),
    run: ({ server }) => server.quotas(),
  },
  {
    method: "GET",
    path: "/accounts",
    summary: "Accounts that are logged in to this node, or have a quota of their own",
    answer: v.array(ACCOUNT),
    run: async ({ server }) => describeAccounts(await server.sessions(), await server.quotas()),
  },
  {
    method: "GET",
    path: "/bans",
    summary: "Who is banned, on all nodes",
    answer: v.array(BAN),
    run: ({ server }) => server.bans.list(),
  },
  {
    method: "POST",
    path: "/bans",
    summary: "Ban an address, on all nodes; sessions that it has go on",
    action: "ban",
    body: NEW_BAN,
    answer: BAN,
    run: async ({ server }, { body }) => {
      const { address, seconds = server.banSeconds } = body as v.InferOutput<typeof NEW_BAN>;
      await server.bans.ban(address, seconds);
      return { address: addressBlock(address), seconds };
    },
  },
  {
    method: "DELETE",
    path: "/bans/{address}",
    summary: "Lift a ban, on all nodes",
    action: "unban",
    failures: { 404: "The address is not banned." },
    run: async ({ server }, { params: { address = "" } }) => {
      const host = address.replace(/\/64$/, "");
      if (!v.is(v.pipe(v.string(), v.ip()), host)) throw new ApiError(400, "address: is no IPv4 or IPv6 address");
      if (!await server.bans.lift(host)) throw new ApiError(404, `${address} is not banned`);
    },
  },
  {
    method: "GET",
    path: "/nodes",
    summary: "The nodes that share a state; empty where the server is alone",
    answer: v.array(NODE),
    run: ({ server }) => server.nodes(),
  },
  {
    method: "GET",
    path: "/incidents",
    summary: "What went wrong last on this node: refusals, failed logins, interrupted transfers",
    answer: v.array(INCIDENT),
    run: ({ recent }) => recent.since(0),
  },
  {
    method: "GET",
    path: "/history",
    summary: "Throughput, sessions and logins over the last hour or day",
    query: { span: "`hour` (default) or `day`" },
    answer: v.array(HISTORY_POINT),
    run: ({ history }, { query }) => {
      const span = query.get("span") ?? "hour";
      if (!Object.hasOwn(SPANS, span)) throw new ApiError(400, "span: is not one of hour, day");
      return history.points(span as SpanName);
    },
  },
  {
    method: "POST",
    path: "/reload",
    summary: "Read the configuration again; one that cannot be used changes nothing",
    action: "reload",
    answer: RELOADED,
    failures: { 409: "The configuration cannot be used." },
    run: async ({ server }) => ({ remarks: await server.reload() }),
  },
  {
    method: "POST",
    path: "/drain",
    summary: "Stop in the times of `shutdown`: balancers are told, then transfers may end",
    action: "drain",
    run: ({ server }) => server.drain(),
  },
];

const DAY_MS = 86_400_000;

/** Describes the server. */
export function describeServer(server: SteeredServer): v.InferOutput<typeof SERVER> {
  const { version, since, workers, addresses, readiness, certificate, ordering, acceptedRisks } = server;
  return {
    version,
    since: since.toISOString(),
    workers,
    addresses: [...addresses],
    isReady: readiness.isReady,
    ...!readiness.isReady && { notReady: readiness.reason },
    sessions: sessionsNow(server),
    ...certificate && {
      certificate: {
        fingerprint: certificate.fingerprint,
        names: [...certificate.names],
        validTo: certificate.validTo.toISOString(),
        daysLeft: Math.floor((certificate.validTo.getTime() - Date.now()) / DAY_MS),
        selfSigned: certificate.selfSigned,
        ...ordering && {
          ordering: {
            isOrdering: ordering.isOrdering,
            nextAttempt: ordering.nextAttempt.toISOString(),
            failures: ordering.failures,
            ...ordering.lastFailure !== undefined && { lastFailure: ordering.lastFailure },
          },
        },
      },
    },
    acceptedRisks: acceptedRisks.map(({ risk, reason, until }) => ({ risk, reason, ...until && { until } })),
  };
}

/** Describes a session. */
export function describeSession(info: SessionInfo): v.InferOutput<typeof SESSION> {
  const { session, remote, username, isLoggedIn, tls, since, transfer } = info;
  return {
    session,
    remote,
    ...username !== undefined && { username },
    isLoggedIn,
    ...tls !== undefined && { tls },
    since: since.toISOString(),
    ...transfer && { transfer: { ...transfer, rate: rateOf(transfer) } },
  };
}

function describeAccounts(
  sessions: readonly SessionInfo[],
  quotas: readonly QuotaReport[],
): v.InferOutput<typeof ACCOUNT>[] {
  const quotaOf = new Map(quotas.map(({ name, limits, used }) => [name, { limits, ...used && { used } }]));
  const own = quotas.flatMap(({ name }) => name.startsWith(USER_QUOTA) ? [name.slice(USER_QUOTA.length)] : []);
  const of = new Map<string, SessionInfo[]>(own.map((account) => [account, []]));
  for (const session of sessions) {
    if (!session.isLoggedIn || session.username === undefined) continue;
    const others = of.get(session.username);
    if (others === undefined) of.set(session.username, [session]);
    else others.push(session);
  }
  return [...of].sort(([a], [b]) => a < b ? -1 : 1).map(([account, sessions]) => {
    const quota = quotaOf.get(`${USER_QUOTA}${account}`);
    const transfers = sessions.filter(({ transfer }) => transfer !== undefined).length;
    return { account, sessions: sessions.length, transfers, ...quota && { quota } };
  });
}

const USER_QUOTA = "user ";

function describeTransfer({ session, remote, username, transfer }: SessionInfo): v.InferOutput<typeof TRANSFER>[] {
  if (transfer === undefined) return [];
  return [{ session, remote, ...username !== undefined && { username }, ...transfer, rate: rateOf(transfer) }];
}

function rateOf({ bytes, seconds }: { readonly bytes: number; readonly seconds: number }): number {
  return seconds > 0 ? Math.round(bytes / seconds) : 0;
}
