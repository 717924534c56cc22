/**
 * Looks at a server: one connection after another, and one more for what could end the session.
 *
 * @module
 */

import { type Examination, type FactName, Notes } from "./facts.ts";
import { FtpClient } from "./ftp_client.ts";
import { observeAnonymous } from "./observe_anonymous.ts";
import { observeBounce, observeListings, observePassive, observePorts } from "./observe_data.ts";
import { observeCutUpload, observeFiles, removeLeftovers } from "./observe_files.ts";
import { certificatesOf, isFor, observeMode, observeVersions } from "./observe_tls.ts";
import { Patience } from "./patience.ts";
import { logIn, openSession, protectData, type SessionOptions, targetOf, verify } from "./session.ts";
import { list } from "./transfers.ts";
import { reasonOf, shown, WireError } from "./wire_error.ts";

/** Name that nobody has: it is sent in clear, and never a password after it. */
const NOBODY = "ftpsd-doctor";

const AFTER_LOGIN: readonly FactName[] = [
  "login",
  "epsv",
  "pasv",
  "passivePorts",
  "bounce",
  "listing",
  "freshListing",
  "clearListing",
  "roundTrips",
  "fileTime",
  "cutUpload",
];
const OF_TLS: readonly FactName[] = ["versions", "certificates", "handshake"];
const OF_UPLOADS: readonly FactName[] = ["roundTrips", "fileTime", "cutUpload"];

/** How long it may take. */
export interface ObserveOptions {
  /** Longest wait for one thing, in milliseconds. */
  readonly timeoutMs: number;
  /** Ends it early; what was found until then is returned. */
  readonly signal: AbortSignal;
}

/** Looks at everything that the examination permits. What the server does wrong is in the notes; it never rejects for that. */
export async function observe(examination: Examination, { timeoutMs, signal }: ObserveOptions): Promise<Notes> {
  const notes = new Notes();
  const patience = new Patience(timeoutMs, signal);
  notes.note("interruptions", []);
  notes.note("leftovers", []);
  await observeMode(notes, examination, patience);
  const mode = notes.look("mode");
  if (mode === undefined) return notes;
  const options = { examination, mode, patience };
  const session = ["the session", () => observeSession(notes, options)] as const;
  const versions = ["the versions of TLS", () => observeVersionsIfAny(notes, options)] as const;
  const stages: readonly (readonly [name: string, stage: () => Promise<void>])[] = [
    // Explicit TLS is there only once the greeting has come; of implicit TLS something can be said even without.
    ...mode === "implicit" ? [versions, session] : [session, versions],
    ["USER without TLS", () => observeClearUser(notes, options)],
    ["listings without TLS, and without resumption", () => observeListingsIfAny(notes, options)],
    ["files", () => observeFilesIfAny(notes, options)],
    ["an upload without close_notify", () => observeCutUploadIfAny(notes, options)],
    ["anonymous", () => observeAnonymous(notes, options)],
    ["what was left behind", () => removeLeftovers(notes, options)],
  ];
  for (const [name, stage] of stages) {
    if (!wasRefused(notes)) await untilInterrupted(notes, name, stage);
  }
  return notes;
}

/** Returns whether the server has greeted, but with no welcome. */
function wasRefused(notes: Notes): boolean {
  const greeting = notes.look("greeting");
  return greeting !== undefined && !("reply" in greeting && greeting.reply.code === 220);
}

/** Keeps what was found out before the server went away. */
async function untilInterrupted(notes: Notes, name: string, stage: () => Promise<void>): Promise<void> {
  try {
    await stage();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    notes.note("interruptions", [...notes.look("interruptions") ?? [], `${name}: ${reasonOf(error)}`]);
  }
}

async function observeSession(notes: Notes, options: SessionOptions): Promise<void> {
  const client = await connect(notes, options);
  if (client === undefined) return;
  await using session = client;
  const hasTls = await secure(notes, session, options);
  if (hasTls === undefined) return;
  await observeFeatures(notes, session);
  if (!await enter(notes, session, { ...options, hasTls })) return;
  if (notes.look("features") === undefined) await observeFeatures(notes, session);
  await observeLoggedIn(notes, session, { ...options, hasTls });
  await session.quit();
}

/** Connects, and notes the greeting. */
async function connect(notes: Notes, options: SessionOptions): Promise<FtpClient | undefined> {
  let client: FtpClient;
  try {
    client = await FtpClient.connect(targetOf(options), options.patience);
  } catch (error) {
    if (!(error instanceof WireError) || options.mode === "explicit") throw error;
    notes.note("handshake", { failure: reasonOf(error) });
    notes.skip(["greeting", "features", ...AFTER_LOGIN], "there is no TLS");
    return undefined;
  }
  try {
    const reply = await client.readReply("the connection");
    notes.note("greeting", { reply });
    if (reply.code === 220) return client;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    notes.note("greeting", { failure: reasonOf(error) });
  }
  await client[Symbol.asyncDispose]();
  return undefined;
}

/** Begins TLS, if it can be, and notes what it is. @returns Whether there is TLS; `undefined` when the session is over. */
async function secure(notes: Notes, client: FtpClient, options: SessionOptions): Promise<boolean | undefined> {
  if (options.mode === "explicit") {
    const reply = await client.command("AUTH TLS");
    notes.note("authTls", reply);
    if (reply.code !== 234) {
      notes.skip([...OF_TLS, "clearListing", "freshListing", "cutUpload"], "the server has no TLS");
      return false;
    }
    try {
      await client.startTls();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      notes.note("handshake", { failure: reasonOf(error) });
      notes.skip(["features", ...AFTER_LOGIN], "there is no TLS");
      return undefined;
    }
  } else {
    notes.skip(["authTls", "clearUser"], "TLS is implicit");
  }
  const { tls } = client.wire;
  notes.note("handshake", {
    protocol: shown(tls?.getProtocol() ?? "TLS"),
    cipher: tls?.getCipher().name ?? "",
    problem: await verify(client, options),
  });
  const { fingerprint } = client.wire;
  notes.note("fingerprint", fingerprint);
  // Those that came in clear are as the server has sent them, but anybody can send those of others.
  if (notes.look("certificates")?.[0]?.fingerprint256 !== fingerprint) {
    notes.note("certificates", certificatesOf(client.wire));
  }
  return true;
}

async function observeFeatures(notes: Notes, client: FtpClient): Promise<void> {
  const { code, lines } = await client.command("FEAT");
  if (code === 211) notes.note("features", lines.slice(1, -1).map((line) => line.trim().toUpperCase()));
  else notes.skip(["features"], `FEAT gets ${code}`);
}

/** Logs in, where that is safe. */
async function enter(
  notes: Notes,
  client: FtpClient,
  { examination, hasTls }: SessionOptions & { readonly hasTls: boolean },
): Promise<boolean> {
  const { account, isInsecure } = examination;
  if (account === undefined) {
    notes.skip(AFTER_LOGIN, "needs a login: --user NAME");
    return false;
  }
  const distrust = hasTls ? distrustOf(notes, examination) : "there is no TLS";
  if (distrust !== undefined && !isInsecure) {
    notes.skip(AFTER_LOGIN, `the password is not sent, because ${distrust} (--insecure sends it)`);
    return false;
  }
  const reply = await logIn(client, account);
  notes.note("login", { user: account.user, reply });
  if (reply.code !== 230) notes.skip(AFTER_LOGIN, "needs a login");
  return reply.code === 230;
}

/** Why a server may be another one than it says. */
function distrustOf(notes: Notes, { host, name = host }: Examination): string | undefined {
  const handshake = notes.look("handshake");
  if (handshake === undefined || "failure" in handshake) return "there is no TLS";
  const [leaf] = notes.look("certificates") ?? [];
  if (handshake.problem !== undefined) return "the certificate cannot be verified";
  return leaf !== undefined && isFor(leaf, name) ? undefined : "the certificate is for another name";
}

async function observeLoggedIn(
  notes: Notes,
  client: FtpClient,
  { patience, hasTls }: SessionOptions & { readonly hasTls: boolean },
): Promise<void> {
  await client.command("TYPE I");
  const refusal = hasTls ? await protectData(client) : undefined;
  const isExtended = await observePassive(notes, client);
  await observePorts(notes, client, { isExtended, patience });
  const way = { isExtended, isProtected: hasTls && refusal === undefined, offersSession: true };
  if (way.isProtected) notes.note("listing", await list(client, way));
  else notes.skip(["listing"], refusal === undefined ? "the server has no TLS" : `PROT P gets ${refusal.code}`);
  await observeBounce(notes, client); // Last, as a server that dials may say nothing for long
}

async function observeVersionsIfAny(notes: Notes, options: SessionOptions): Promise<void> {
  const reply = notes.look("authTls");
  if (options.mode === "implicit" || reply?.code === 234) await observeVersions(notes, options);
}

async function observeClearUser(notes: Notes, options: SessionOptions): Promise<void> {
  if (options.mode === "implicit") return;
  await using client = await openSession(options);
  notes.note("clearUser", await client.command(`USER ${NOBODY}`));
}

async function observeFilesIfAny(notes: Notes, options: SessionOptions): Promise<void> {
  if (notes.look("epsv") === undefined) return;
  if (options.examination.mayUpload) await observeFiles(notes, options);
  else notes.skip(OF_UPLOADS, "no files are stored: --no-upload");
}

/** In a session of its own: there are servers that say nothing any more after it. */
async function observeCutUploadIfAny(notes: Notes, options: SessionOptions): Promise<void> {
  const trips = notes.look("roundTrips") ?? [];
  const isWhole = trips.length > 0 && trips.every(({ problem }) => problem === undefined);
  if (isWhole && notes.look("handshake") !== undefined) await observeCutUpload(notes, options);
}

async function observeListingsIfAny(notes: Notes, options: SessionOptions): Promise<void> {
  const isIn = notes.look("login")?.reply.code === 230;
  const epsv = notes.look("epsv");
  if (!isIn || epsv === undefined || notes.look("handshake") === undefined) return;
  await observeListings(notes, options, epsv === true);
}
