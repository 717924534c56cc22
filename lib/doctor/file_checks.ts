/**
 * Checks of what becomes of files.
 *
 * @module
 */

import { type Check, defineCheck, error, note, ok, warning } from "./check.ts";
import { describeEnd } from "./observe_files.ts";
import { isComplete, replyText } from "./transfers.ts";

/** How far a clock may be off, in milliseconds: times have whole seconds, and uploads take a moment. */
const MAX_DRIFT_MS = 60_000;
/** Time zones differ by multiples of a quarter of an hour. */
const ZONE_STEP_MS = 15 * 60_000;

/** In the order in which they are shown. */
export const FILE_CHECKS: readonly Check[] = [
  defineCheck({
    id: "round-trip",
    looksAt: "whether files of several sizes come back as they were stored",
    needs: ["roundTrips"],
    remedy:
      "look at the rights and the quota of the account; where bytes differ, for a server or a proxy that converts files",
    page: "docs/troubleshooting.md#text-files-change-on-the-way",
    judge: ({ roundTrips }) => {
      const bad = roundTrips.find(({ problem }) => problem !== undefined);
      const sizes = roundTrips.map(({ bytes }) => bytes);
      if (bad === undefined) {
        return ok(`${sizes.length} files of ${sizes.at(0)} to ${sizes.at(-1)} bytes come back as they were`);
      }
      return error(`a file of ${bad.bytes} bytes: ${bad.problem}`);
    },
  }),
  defineCheck({
    id: "clock",
    looksAt: "whether the server tells the time of a new file as it is here, in UTC",
    needs: ["fileTime"],
    remedy: "set the clock of the server (or of this host) by NTP, and let the server tell times in UTC (times: utc)",
    page: "docs/troubleshooting.md#times-are-off-by-hours",
    judge: ({ fileTime: { told, stored } }) => {
      const driftMs = told.getTime() - stored.getTime();
      if (Math.abs(driftMs) <= MAX_DRIFT_MS) return ok(`off by ${Math.round(Math.abs(driftMs) / 1000)} s`);
      const zoneMs = Math.round(driftMs / ZONE_STEP_MS) * ZONE_STEP_MS;
      return Math.abs(driftMs - zoneMs) <= MAX_DRIFT_MS
        ? warning(`times are ${describeDrift(zoneMs)}: as local time in place of UTC (RFC 3659)`)
        : error(`the clock is ${describeDrift(driftMs)}`);
    },
  }),
  defineCheck({
    id: "close-notify",
    looksAt: "what becomes of an upload that ends without close_notify",
    needs: ["cutUpload"],
    remedy: "let uploads count only if they end with close_notify (tls.requireCloseNotify: true)",
    page: "docs/troubleshooting.md#an-upload-arrives-and-the-client-gets-426",
    judge: ({ cutUpload }) => {
      if (isComplete(cutUpload)) {
        return warning(`an upload without it gets ${cutUpload.reply?.code}: a cut upload looks whole`);
      }
      const { reply } = cutUpload;
      return reply === undefined
        ? warning(
          `an upload without it is not answered (${describeEnd(cutUpload)}): clients that never send close_notify hang`,
        )
        : note(
          `an upload without it gets "${
            replyText(reply)
          }", so that no cut upload looks whole; clients that never send close_notify cannot upload`,
        );
    },
  }),
  defineCheck({
    id: "anonymous-write",
    looksAt: "whether anybody may store files",
    needs: ["anonymous"],
    remedy: "take the right to write from anonymous",
    page: "docs/accounts.md#anonymous",
    judge: ({ anonymous: { login, upload } }) => {
      if (login.code !== 230) return ok(`anonymous gets ${login.code}`);
      if (upload === undefined) return undefined;
      return isComplete(upload)
        ? error("anonymous has stored a file")
        : ok(`its upload ends with ${describeEnd(upload)}`);
    },
  }),
  defineCheck({
    id: "leftovers",
    looksAt: "whether the files of this examination are gone",
    needs: ["leftovers"],
    remedy: "remove them",
    page: "docs/doctor.md",
    judge: ({ leftovers }) => leftovers.length === 0 ? undefined : warning(`left behind: ${leftovers.join(", ")}`),
  }),
];

/** A difference of clocks, in words. */
function describeDrift(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  const length = [...hours === 0 ? [] : [`${hours} h`], ...rest === 0 ? [] : [`${rest} min`]].join(" ");
  return `${length} ${ms < 0 ? "behind" : "ahead"}`;
}
