/**
 * The shapes of the admin API's questions and answers, from which its types and its OpenAPI document come.
 *
 * @module
 */

import * as v from "valibot";

const time = v.pipe(v.string(), v.isoTimestamp(), v.description("Time in UTC, ISO 8601."));
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const amount = v.object({
  bytes: v.pipe(v.number(), v.description("Bytes.")),
  files: v.pipe(v.number(), v.description("Files.")),
});

/** A file that is being transferred. */
const transfer = v.object({
  command: v.pipe(v.string(), v.description("`RETR`, `STOR`, `APPE` or `STOU`.")),
  path: v.pipe(v.string(), v.description("Virtual path of the file.")),
  bytes: v.pipe(count, v.description("Bytes that have moved.")),
  seconds: v.pipe(v.number(), v.description("Seconds since it began.")),
  rate: v.pipe(v.number(), v.description("Bytes a second since it began.")),
});

/** Somebody who is connected. */
export const SESSION = v.object({
  session: v.pipe(v.string(), v.description("Id, as in the log.")),
  remote: v.pipe(v.string(), v.description("Client's address and port.")),
  username: v.optional(v.pipe(v.string(), v.description("Name that was given with USER."))),
  isLoggedIn: v.boolean(),
  tls: v.optional(v.pipe(v.string(), v.description("Such as `TLSv1.3`; absent: in clear."))),
  since: time,
  transfer: v.optional(transfer),
});

/** A transfer, with whose it is. */
export const TRANSFER = v.object({
  session: v.string(),
  remote: v.string(),
  username: v.optional(v.string()),
  ...transfer.entries,
});

/** The server itself. */
export const SERVER = v.object({
  version: v.string(),
  since: time,
  workers: v.pipe(count, v.description("Event loops that serve.")),
  addresses: v.array(v.object({ host: v.string(), port: count, tls: v.picklist(["explicit", "implicit", "off"]) })),
  isReady: v.pipe(v.boolean(), v.description("Whether clients should be sent here.")),
  notReady: v.optional(v.pipe(v.string(), v.description("Why not."))),
  sessions: count,
  certificate: v.optional(v.object({
    fingerprint: v.pipe(v.string(), v.description("SHA-256.")),
    names: v.array(v.string()),
    validTo: time,
    daysLeft: v.pipe(v.number(), v.description("Whole days until it expires; negative: it has.")),
    selfSigned: v.boolean(),
    ordering: v.optional(v.pipe(
      v.object({
        isOrdering: v.boolean(),
        nextAttempt: v.pipe(time, v.description("When it is ordered next.")),
        failures: v.pipe(count, v.description("Attempts that have failed in a row.")),
        lastFailure: v.optional(v.string()),
      }),
      v.description("How it is doing where it is ordered from a CA."),
    )),
  })),
  acceptedRisks: v.array(v.object({ risk: v.string(), reason: v.string(), until: v.optional(v.string()) })),
});

/** A quota and what is stored under it. */
export const QUOTA = v.object({
  name: v.pipe(v.string(), v.description("Whose, such as `user alice` or `group partners`.")),
  limits: v.pipe(amount, v.description("0: no limit.")),
  used: v.optional(v.pipe(amount, v.description("Stored and reserved; absent: not counted yet."))),
});

/** Who is banned. */
export const BAN = v.object({
  address: v.pipe(v.string(), v.description("Of IPv6 its /64.")),
  seconds: v.pipe(v.number(), v.description("How long it lasts still.")),
});

/** A node of several. */
export const NODE = v.object({
  name: v.string(),
  isThis: v.pipe(v.boolean(), v.description("Whether it is the one that answers.")),
  sessions: count,
  leaseSeconds: v.pipe(v.number(), v.description("Until it counts as gone, if it is not heard.")),
});

/** Something that went wrong. */
export const INCIDENT = v.object({
  time,
  event: v.pipe(v.string(), v.description("Name of the event, as in the log.")),
  session: v.optional(v.string()),
  remote: v.optional(v.string()),
  username: v.optional(v.string()),
  text: v.string(),
  code: v.optional(v.pipe(count, v.description("Code of the reply."))),
});

/** Numbers of a span of time. */
export const HISTORY_POINT = v.object({
  time: v.pipe(v.number(), v.description("End of the span, in seconds since 1970.")),
  sessions: count,
  received: v.pipe(v.number(), v.description("Bytes of files a second.")),
  sent: v.number(),
  logins: count,
  loginsFailed: count,
  incomplete: v.pipe(count, v.description("Transfers that were interrupted.")),
});

/** Whose sessions end. */
export const KICK = v.union([
  v.strictObject({ session: v.pipe(v.string(), v.minLength(1)) }),
  v.strictObject({ account: v.pipe(v.string(), v.minLength(1)) }),
  v.strictObject({ address: v.pipe(v.string(), v.ip("is no IPv4 or IPv6 address")) }),
]);

const MAX_BAN_SECONDS = 10 * 366 * 86_400;

/** A ban to make. */
export const NEW_BAN = v.strictObject({
  address: v.pipe(v.string(), v.ip("is no IPv4 or IPv6 address")),
  seconds: v.optional(v.pipe(
    v.number(),
    v.minValue(1),
    v.maxValue(MAX_BAN_SECONDS),
    v.description("Absent: `ban.duration` of the configuration."),
  )),
});

/** An account, as far as this node knows. */
export const ACCOUNT = v.object({
  account: v.string(),
  sessions: v.pipe(count, v.description("Logged in to this node.")),
  transfers: v.pipe(count, v.description("Files that it is transferring.")),
  quota: v.optional(v.omit(QUOTA, ["name"])),
});

/** What a reload has come to. */
export const RELOADED = v.object({
  remarks: v.pipe(
    v.array(v.string()),
    v.description("Accepted risks, warnings, and what waits for a restart, as the log has them."),
  ),
});

/** How many sessions were ended. */
export const KICKED = v.object({
  sessions: v.optional(v.pipe(count, v.description("Absent: all nodes were told, which do not count them."))),
});

/** What could not be done. */
export const FAILURE = v.object({ error: v.string() });
