/**
 * Finds out about data connections: addresses, ports, protection.
 *
 * @module
 */

import { ipFamily } from "../protocol/host_port.ts";
import type { Notes, TransferEnd } from "./facts.ts";
import type { FtpClient } from "./ftp_client.ts";
import type { Patience } from "./patience.ts";
import type { SessionOptions } from "./session.ts";
import { logInAgain, openProtected, protectData } from "./session.ts";
import { type DataWay, isComplete, list } from "./transfers.ts";
import { WireError } from "./wire_error.ts";

/** How many passive ports are dialled. */
const PORT_SAMPLE = 8;
/** After so many that cannot be reached, no more are tried: each may cost a whole wait. */
const ENOUGH_CLOSED = 3;
/** Longest wait for a passive port, in milliseconds. */
const PORT_TIMEOUT_MS = 5000;

/** Addresses of documentation (RFC 5737 §3, RFC 3849 §2), where nobody is. */
const FOREIGN_PORT = "PORT 192,0,2,1,195,80";
const FOREIGN_EPRT = "EPRT |2|2001:db8::1|50000|";

/** Notes what EPSV and PASV say. @returns Whether EPSV is to be used. */
export async function observePassive(notes: Notes, client: FtpClient): Promise<boolean> {
  const extended = await client.askPassive({ isExtended: true });
  const isExtended = !("code" in extended);
  notes.note("epsv", isExtended ? true : extended);
  if (ipFamily(client.wire.address) === 4) {
    const passive = await client.askPassive({ isExtended: false });
    notes.note("pasv", "code" in passive ? { reply: passive } : { announced: passive.announced ?? "" });
  } else {
    notes.skip(["pasv"], "PASV is for IPv4 only, and the server was reached by IPv6");
  }
  return isExtended;
}

/** Notes which of some passive ports can be reached. */
export async function observePorts(
  notes: Notes,
  client: FtpClient,
  { isExtended, patience }: { readonly isExtended: boolean; readonly patience: Patience },
): Promise<void> {
  const tried = new Set<number>();
  const closed = new Map<number, string>();
  for (let count = 0; count < PORT_SAMPLE && closed.size < ENOUGH_CLOSED; count++) {
    const found = await client.askPassive({ isExtended });
    if ("code" in found) break;
    tried.add(found.port);
    try {
      await using _data = await client.dial(found.port, patience.atMost(PORT_TIMEOUT_MS));
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      closed.set(found.port, error.kind === "timeout" ? "no answer" : error.message);
    }
  }
  if (tried.size > 0) notes.note("passivePorts", { tried: [...tried], closed });
  else notes.skip(["passivePorts"], "neither EPSV nor PASV names a port");
}

/** Notes whether the server would connect to somebody else: to nobody, as the address is nobody's. */
export async function observeBounce(notes: Notes, client: FtpClient): Promise<void> {
  const lines = ipFamily(client.wire.address) === 4 ? [FOREIGN_PORT, "EPRT |1|192.0.2.1|50000|"] : [FOREIGN_EPRT];
  const answers: TransferEnd[] = [];
  try {
    for (const line of lines) answers.push({ reply: await client.command(line) });
  } catch (error) {
    if (!(error instanceof WireError && error.kind === "timeout")) throw error;
    answers.push({ failure: error.message });
  }
  notes.note("bounce", answers);
}

/** Notes what becomes of listings in a session of its own: without TLS, and without the session of the control connection. */
export async function observeListings(notes: Notes, options: SessionOptions, isExtended: boolean): Promise<void> {
  await using client = await openProtected(options);
  await logInAgain(notes, client, options.examination);
  const clear: DataWay = { isExtended, isProtected: false, offersSession: false };
  // Nothing has asked for protection yet; where that does not do, PROT C may.
  let end = await list(client, clear);
  if (!isComplete(end)) {
    await client.command("PBSZ 0");
    if ((await client.command("PROT C")).code === 200) end = await list(client, clear);
  }
  notes.note("clearListing", end);
  const refusal = await protectData(client);
  if (refusal !== undefined) return notes.skip(["freshListing"], `PROT P gets ${refusal.code}`);
  notes.note("freshListing", await list(client, { isExtended, isProtected: true, offersSession: false }));
  await client.quit();
}
