/**
 * Finds out what anybody may do.
 *
 * @module
 */

import type { Notes } from "./facts.ts";
import { expectLeftover, newFileName, remove } from "./observe_files.ts";
import { logIn, openProtected, openSession, protectData, type SessionOptions } from "./session.ts";
import { isComplete, store } from "./transfers.ts";

const ANONYMOUS = { user: "anonymous", password: "ftpsd-doctor@" };
const CONTENT = new Uint8Array(1);

/** Logs in as anonymous, and tries to store a file. */
export async function observeAnonymous(notes: Notes, options: SessionOptions): Promise<void> {
  const { triesAnonymous, mayUpload, folder } = options.examination;
  if (!triesAnonymous) return notes.skip(["anonymous"], "not tried: --anonymous");
  const hasTls = options.mode === "implicit" || notes.look("authTls")?.code === 234;
  await using client = await (hasTls ? openProtected(options) : openSession(options));
  const login = await logIn(client, ANONYMOUS);
  notes.note("anonymous", { login });
  if (login.code !== 230 || !mayUpload) return;
  const isProtected = hasTls && await protectData(client) === undefined;
  await client.command("TYPE I");
  if (folder !== undefined) await client.command(`CWD ${folder}`);
  const name = newFileName();
  expectLeftover(notes, name);
  const isExtended = !("code" in await client.askPassive({ isExtended: true }));
  const upload = await store(client, name, CONTENT, { isExtended, isProtected, offersSession: true });
  notes.note("anonymous", { login, upload });
  await remove(notes, client, name, { isStored: isComplete(upload) });
  await client.quit();
}
