/**
 * Each way to use a path, and how it shows that it led outside.
 *
 * @module
 */

import type { RawClient } from "../helpers/raw_client.ts";
import { type ContainmentScene, exists, SECRET, SECRET_SIZE, SECRET_TIME } from "./containment_scene.ts";

/** What one attempt has brought. */
export interface Attempt {
  /** Whether the server did what it was asked. */
  readonly done: boolean;
  /** Everything that the client was told or sent. */
  readonly text: string;
}

/** One way to use a path. */
export interface Attack {
  /** What the client does. */
  readonly name: string;
  /** Whether uploads are atomic. */
  readonly atomic?: true;
  /** Whether what lies outside has to be on another device. */
  readonly otherDevice?: true;
  /** Whether a swap at the right microsecond can succeed, see SECURITY.md. */
  readonly mayEscape?: true;
  /** Makes what the attempt needs, inside and outside. */
  readonly prepare?: (scene: ContainmentScene, index: number) => void;
  /** Uses the path. */
  readonly attempt: (client: RawClient, index: number) => Promise<Attempt>;
  /** Whether what came back holds what a file outside holds, or its digest. */
  readonly readsContent?: (text: string) => boolean;
  /** Whether what came back tells something else of the outside. */
  readonly tells?: (text: string, scene: ContainmentScene) => boolean;
  /** Whether it did something outside, but for the contents of files. */
  readonly changes?: (scene: ContainmentScene, index: number) => boolean;
}

const DIGEST = await hexDigest(SECRET);
const UPLOAD = new TextEncoder().encode("attack");

const tellsAttributes = (text: string) => text.includes(SECRET_SIZE) || text.includes("only-outside");
const tellsFreeBytes = (text: string, scene: ContainmentScene) => {
  const bytes = Number(/^213 (\d+)$/.exec(text)?.[1] ?? NaN);
  const { outside, inside } = scene.freeBytes();
  return Math.abs(bytes - outside) < Math.abs(bytes - inside);
};
const tellsTime = (text: string) => text.includes("20010203");

type Changes = NonNullable<Attack["changes"]>;

const made: Changes = (scene, index) => exists(`${scene.outside}/new-${index}`);
const gone: Changes = (scene, index) => !exists(`${scene.outside}/old-${index}`);
const modeChanged: Changes = (scene, index) => ((oldFile(scene, index).mode ?? 0) & 0o777) === 0o601;
const timeChanged: Changes = (scene, index) => oldFile(scene, index).mtime?.getTime() !== SECRET_TIME.getTime();

/** All of them. */
export const ATTACKS: readonly Attack[] = [
  { name: "RETR", attempt: download(() => "RETR /dir/file"), readsContent: (text) => text.includes("secret") },
  {
    name: "RETR, deeper",
    attempt: download(() => "RETR /dir/sub/file"),
    readsContent: (text) => text.includes("secret"),
  },
  { name: "HASH", attempt: command(() => "HASH /dir/file"), readsContent: (text) => text.includes(DIGEST) },
  { name: "LIST", attempt: download(() => "LIST /dir"), tells: tellsAttributes },
  { name: "LIST, deeper", attempt: download(() => "LIST /dir/sub"), tells: tellsAttributes },
  { name: "NLST", attempt: download(() => "NLST /dir"), tells: tellsAttributes },
  { name: "MLSD", attempt: download(() => "MLSD /dir"), tells: tellsAttributes },
  { name: "STAT", attempt: command(() => "STAT /dir"), tells: tellsAttributes },
  { name: "MLST", attempt: command(() => "MLST /dir/file"), tells: tellsAttributes },
  { name: "SIZE", attempt: command(() => "SIZE /dir/file"), tells: tellsAttributes },
  { name: "MDTM", attempt: command(() => "MDTM /dir/file"), tells: tellsTime },
  { name: "AVBL", mayEscape: true, otherDevice: true, attempt: command(() => "AVBL /dir"), tells: tellsFreeBytes },
  { name: "STOR on a file", attempt: upload(() => "STOR /dir/file") },
  { name: "APPE on a file", attempt: upload(() => "APPE /dir/file") },
  { name: "STOR, atomic", mayEscape: true, atomic: true, attempt: upload(() => "STOR /dir/file") },
  { name: "STOR of a new file", mayEscape: true, attempt: upload((index) => `STOR /dir/new-${index}`), changes: made },
  { name: "MKD", mayEscape: true, attempt: command((index) => `MKD /dir/new-${index}`), changes: made },
  {
    name: "DELE",
    mayEscape: true,
    prepare: oldFiles,
    attempt: command((index) => `DELE /dir/old-${index}`),
    changes: gone,
  },
  {
    name: "RMD",
    mayEscape: true,
    prepare: oldFolders,
    attempt: command((index) => `RMD /dir/old-${index}`),
    changes: gone,
  },
  {
    name: "RNTO out of the folder",
    mayEscape: true,
    prepare: oldFiles,
    attempt: rename((index) => [`/dir/old-${index}`, `/taken-${index}`]),
    changes: gone,
  },
  {
    name: "RNTO into the folder",
    mayEscape: true,
    prepare: (scene, index) => scene.put(scene.home, `mine-${index}`),
    attempt: rename((index) => [`/mine-${index}`, `/dir/new-${index}`]),
    changes: made,
  },
  changer("SITE CHMOD", (index) => `SITE CHMOD 601 /dir/old-${index}`, modeChanged),
  {
    ...changer("SITE CHMOD of a folder", (index) => `SITE CHMOD 601 /dir/old-${index}`, modeChanged),
    prepare: oldFolders,
  },
  {
    ...changer("MFMT of a folder", (index) => `MFMT 20200101000000 /dir/old-${index}`, timeChanged),
    prepare: oldFolders,
  },
  changer("MFMT", (index) => `MFMT 20200101000000 /dir/old-${index}`, timeChanged),
  changer("MFF", (index) => `MFF modify=20200101000000; /dir/old-${index}`, timeChanged),
  changer("SITE UTIME", (index) => `SITE UTIME 20200101000000 /dir/old-${index}`, timeChanged),
];

type Line = (index: number) => string;

function command(line: Line): Attack["attempt"] {
  return async (client, index) => {
    const { code, text } = await client.command(line(index));
    return { done: code < 400, text };
  };
}

function rename(paths: (index: number) => readonly [from: string, to: string]): Attack["attempt"] {
  return async (client, index) => {
    const [from, to] = paths(index);
    const marked = await client.command(`RNFR ${from}`);
    if (marked.code !== 350) return { done: false, text: marked.text };
    const { code, text } = await client.command(`RNTO ${to}`);
    return { done: code < 400, text };
  };
}

function download(line: Line): Attack["attempt"] {
  return async (client, index) => {
    await using data = await client.passive();
    const first = await client.command(line(index));
    if (first.code !== 150) return { done: false, text: first.text };
    const bytes = await data.readAll();
    const { code } = await client.readReply(line(index));
    return { done: code === 226, text: new TextDecoder().decode(bytes) };
  };
}

function upload(line: Line): Attack["attempt"] {
  return async (client, index) => {
    await using data = await client.passive();
    const first = await client.command(line(index));
    if (first.code !== 150) return { done: false, text: first.text };
    await data.write(UPLOAD);
    await data.finish();
    const { code, text } = await client.readReply(line(index));
    return { done: code === 226, text };
  };
}

function changer(name: string, line: Line, changes: Changes): Attack {
  return { name, prepare: oldFiles, attempt: command(line), changes };
}

function oldFiles(scene: ContainmentScene, index: number): void {
  for (const folder of [scene.inside, scene.outside]) scene.put(folder, `old-${index}`);
}

function oldFolders(scene: ContainmentScene, index: number): void {
  for (const folder of [scene.inside, scene.outside]) Deno.mkdirSync(`${folder}/old-${index}`);
  Deno.utimeSync(`${scene.outside}/old-${index}`, SECRET_TIME, SECRET_TIME);
}

function oldFile(scene: ContainmentScene, index: number): Deno.FileInfo {
  return Deno.lstatSync(`${scene.outside}/old-${index}`);
}

async function hexDigest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
