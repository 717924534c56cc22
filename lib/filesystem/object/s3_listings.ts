/**
 * Listings of a bucket, page by page.
 *
 * @module
 */

import { type CallOptions, FileSystemError } from "../filesystem.ts";
import type { ListOptions, ListPage, UploadedPart, UploadName, UploadsPage } from "./object_store.ts";
import { parseAnswer, readListPage, readOrRefuse, readPartsPage, readUploadsPage } from "./s3_answers.ts";
import type { RequestPlan, StoreRequests } from "./s3_requests.ts";

/** No upload has more. */
const MAX_PARTS = 10_000;

/** Lists a page of objects. */
export async function listObjects(requests: StoreRequests, options: ListOptions): Promise<ListPage> {
  const { prefix, delimiter, next, after, limit = 1000, signal } = options;
  const query = {
    "list-type": "2",
    "encoding-type": "url",
    "max-keys": String(Math.max(1, Math.min(1000, limit))),
    prefix,
    ...delimiter !== undefined && { delimiter },
    ...next !== undefined && { "continuation-token": next },
    ...after !== undefined && { "start-after": after },
  };
  const doing = `list ${JSON.stringify(prefix)}`;
  const { text } = await requests.request({ method: "GET", query, doing, signal });
  const answer = await parseAnswer(text, "ListBucketResult");
  const page = readOrRefuse(() => readListPage(answer));
  if (page.next !== undefined && page.next === next) throw noEnd(doing);
  return page;
}

/** Lists all parts of an upload. */
export async function listParts(
  requests: StoreRequests,
  upload: UploadName,
  options: CallOptions,
): Promise<readonly UploadedPart[]> {
  const { key, uploadId } = upload;
  const doing = `list the parts of ${JSON.stringify(key)}`;
  const found: UploadedPart[] = [];
  let marker: string | undefined;
  do {
    const query = { uploadId, "max-parts": "1000", ...marker !== undefined && { "part-number-marker": marker } };
    const plan: RequestPlan = { method: "GET", key, query, doing, signal: options.signal };
    const answer = await parseAnswer((await requests.request(plan)).text, "ListPartsResult");
    const page = readOrRefuse(() => readPartsPage(answer));
    found.push(...page.parts);
    if (page.next !== undefined && (page.next === marker || found.length > MAX_PARTS)) throw noEnd(doing);
    marker = page.next;
  } while (marker !== undefined);
  return found.sort((one, other) => one.number - other.number);
}

/** Lists a page of uploads. */
export async function listUploads(
  requests: StoreRequests,
  options: CallOptions & { readonly prefix: string; readonly next?: UploadsPage["next"] },
): Promise<UploadsPage> {
  const { prefix, next, signal } = options;
  // Ceph encodes keys here if it is asked to, and does not say so.
  const query = {
    uploads: "",
    "max-uploads": "1000",
    prefix,
    ...next !== undefined && { "key-marker": next.key, "upload-id-marker": next.uploadId },
  };
  const doing = `list the uploads of ${JSON.stringify(prefix)}`;
  const { text } = await requests.request({ method: "GET", query, doing, signal });
  const answer = await parseAnswer(text, "ListMultipartUploadsResult");
  const page = readOrRefuse(() => readUploadsPage(answer));
  if (page.next !== undefined && page.next.key === next?.key && page.next.uploadId === next.uploadId) {
    throw noEnd(doing);
  }
  return page;
}

function noEnd(doing: string): FileSystemError {
  return new FileSystemError("unavailable", `Cannot ${doing}: the store gives the same page again`);
}
