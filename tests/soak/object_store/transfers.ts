/**
 * Transfers of a raw client that may fail: the reply is the result.
 *
 * @module
 */

import type { RawClient } from "../../helpers/raw_client.ts";

/** Sends bytes; returns the code of the reply that was the last. */
export async function upload(client: RawClient, line: string, bytes: Uint8Array): Promise<number> {
  await using data = await client.passive();
  const begun = await client.command(line);
  if (begun.code !== 150) return begun.code;
  await data.secure();
  try {
    await data.write(bytes);
    await data.finish();
  } catch {
    // The server has given it up, and says so.
  }
  return (await client.readReply("an upload")).code;
}

/** How an upload is cut. */
export const CUTS = ["reset", "end", "abort", "vanish"] as const;

/** Sends bytes and ends the upload early; of `vanish` the client is gone afterwards. */
export async function cutUpload(
  client: RawClient,
  line: string,
  bytes: Uint8Array,
  cut: typeof CUTS[number],
): Promise<void> {
  await using data = await client.passive();
  await client.expect(150, line);
  await data.secure();
  await data.write(bytes);
  if (cut === "vanish") return await client.reset();
  // Without close_notify, which the server needs to take an upload for whole.
  if (cut === "end") await data[Symbol.asyncDispose]();
  if (cut === "reset") await data.reset();
  if (cut === "abort") await client.send("ABOR\r\n");
  const { code } = await client.readReply("a cut upload");
  if (code !== 426) throw new Error(`An upload that was cut (${cut}) was answered ${code}`);
  if (cut === "abort") await client.readReply("ABOR");
}

/** Fetches a file; the bytes count only with code 226. */
export async function download(client: RawClient, line: string): Promise<{ code: number; bytes: Uint8Array }> {
  await using data = await client.passive();
  const begun = await client.command(line);
  if (begun.code !== 150) return { code: begun.code, bytes: new Uint8Array(0) };
  await data.secure();
  let bytes = new Uint8Array(0);
  try {
    bytes = new Uint8Array(await data.readAll());
  } catch {
    // Cut, as the reply says.
  }
  return { code: (await client.readReply("a download")).code, bytes };
}
