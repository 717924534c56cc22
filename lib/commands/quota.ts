/**
 * SITE QUOTA: how much an account, and the groups it is in, have stored (RFC 959 §4.1.3, SITE).
 *
 * @module
 */

import type { QuotaReport } from "../filesystem/filesystem.ts";
import { multilineReply, type Reply } from "../protocol/reply.ts";
import { type CommandContext, type CommandRequest, requireMethod } from "./command.ts";

/** SITE QUOTA. */
export async function showQuotas(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const reports = await requireMethod(context.fileSystem, "quotas")(request);
  return multilineReply(200, ["Quotas:", ...reports.flatMap(linesOf), "End of quotas."]);
}

function linesOf({ name, used, limits }: QuotaReport): string[] {
  if (used === undefined) return [` ${name}: what is stored is being counted; try again later`];
  return (["bytes", "files"] as const).map((what) => ` ${name}: ${describeUse(what, used[what], limits[what])}`);
}

function describeUse(what: string, used: number, limit: number): string {
  if (limit === 0) return `${used} ${what}, no limit`;
  return `${used} ${what} of ${limit}, ${Math.max(0, limit - used)} left`;
}
