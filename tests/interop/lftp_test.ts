import { assertEquals } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { USER } from "../helpers/test_server.ts";
import { type FilePair, type RealClient, Scene, type Target, testClient } from "./client_suite.ts";

const LFTP: RealClient = {
  name: "lftp",
  program: "lftp",
  distrust: /Certificate verification/,
  resumes: ["TLSv1.2", "TLSv1.3"],

  async list(target: Target): Promise<readonly string[]> {
    return (await lftp(target, ["cls -1 --sort=name"])).split("\n").filter((name) => name !== "");
  },

  async upload(target: Target, files: readonly FilePair[]): Promise<void> {
    await lftp(target, files.map(({ local, remote }) => `put ${quoted(local)} -o ${quoted(remote)}`));
  },

  async download(target: Target, files: readonly FilePair[]): Promise<void> {
    await lftp(target, files.map(({ local, remote }) => `get ${quoted(remote)} -o ${quoted(local)}`));
  },

  async resumeUpload(target: Target, { local, remote }: FilePair): Promise<void> {
    await lftp(target, [`put -c ${quoted(local)} -o ${quoted(remote)}`]);
  },

  async resumeDownload(target: Target, { local, remote }: FilePair): Promise<void> {
    await lftp(target, [`get -c ${quoted(remote)} -o ${quoted(local)}`]);
  },
};

async function lftp(target: Target, commands: readonly string[]): Promise<string> {
  const { host, port, protection, caFile } = target;
  const scheme = protection === "implicit" ? "ftps" : "ftp";
  const settings = [
    "cmd:fail-exit yes",
    "net:max-retries 1",
    "net:timeout 20",
    "file:charset utf-8",
    "ftp:ssl-force yes",
    "ftp:ssl-protect-data yes",
    ...caFile === undefined ? [] : [`ssl:ca-file ${quoted(caFile)}`],
  ];
  const script = [
    ...settings.map((setting) => `set ${setting}`),
    `open -u ${USER.name},${USER.password} -p ${port} ${
      quoted(`${scheme}://${host.includes(":") ? `[${host}]` : host}`)
    }`,
    ...commands,
  ];
  return await requireProgram("lftp", ["--norc", "-c", script.join("\n")], { env: { LC_ALL: "C.UTF-8" } });
}

/** Quotes a word for lftp's command language. */
function quoted(word: string): string {
  return `"${word.replace(/["\\]/g, "\\$&")}"`;
}

testClient(LFTP);

const TREE_FILES = 2_000;
const TREE_FOLDERS = 40;

Deno.test(programTest({
  program: "lftp",
  name: `lftp mirrors a tree of ${TREE_FILES} files both ways over 4 connections`,
  fn: async () => {
    await using scene = await Scene.start({});
    const original = await writeTree(`${scene.local}/tree`);
    await lftp(scene.target, [`mirror --reverse --parallel=4 ${quoted(`${scene.local}/tree`)} tree`]);
    assertEquals(await readTree(`${scene.home}/tree`), original);
    await lftp(scene.target, [`mirror --parallel=4 tree ${quoted(`${scene.local}/copy`)}`]);
    assertEquals(await readTree(`${scene.local}/copy`), original);
  },
}));

/** Writes small files in nested folders; returns their contents by path. */
async function writeTree(root: string): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for (let index = 0; index < TREE_FILES; index++) {
    const folder = index % TREE_FOLDERS;
    tree[`outer ${folder % 5}/ïnner ${folder}/.file ${index}`] = `${index}\n`.repeat(index % 50);
  }
  for (const [path, text] of Object.entries(tree)) {
    await Deno.mkdir(`${root}/${path.slice(0, path.lastIndexOf("/"))}`, { recursive: true });
    await Deno.writeTextFile(`${root}/${path}`, text);
  }
  return tree;
}

async function readTree(root: string, folder = ""): Promise<Record<string, string>> {
  const tree: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
    const path = `${folder}${name}`;
    if (isDirectory) Object.assign(tree, await readTree(root, `${path}/`));
    else tree[path] = await Deno.readTextFile(`${root}/${path}`);
  }
  return tree;
}
