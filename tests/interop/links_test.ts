/**
 * What real clients do with links to folders: they neither follow one for ever nor delete what is behind it.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { USER } from "../helpers/test_server.ts";
import { runClient } from "./run_client.ts";
import { readTree, Scene, writeTree } from "./scene.ts";

const RELEASES = { "releases/": "", "releases/42/": "", "releases/42/a.txt": "a", "releases/42/b.txt": "b" };

/** A server in clear whose home has releases, and a folder with links to them, to itself and to a file. */
async function startScene(): Promise<Scene> {
  const scene = await Scene.start({ protection: "clear" });
  await writeTree(scene.home, { ...RELEASES, "box/plain.txt": "plain" });
  const links = { current: "../releases/42", self: ".", "file.txt": "../releases/42/a.txt" };
  for (const [name, target] of Object.entries(links)) await Deno.symlink(target, `${scene.home}/box/${name}`);
  return scene;
}

function lftp({ server, target }: Scene, ...commands: string[]): Promise<string> {
  const opening = [
    "set ftp:ssl-allow no",
    "set net:max-retries 1",
    `open -u ${USER.name},${USER.password} ${server.host}:${server.port}`,
  ];
  return runClient(target, "lftp", ["--norc", "-c", [...opening, ...commands].join("; ")]);
}

for (const listing of ["MLSD", "LIST"]) {
  const use = `set ftp:use-mlsd ${listing === "MLSD" ? "yes" : "no"}`;

  Deno.test(programTest({
    program: "lftp",
    name: `lftp mirrors a folder with a link to itself once, by ${listing}`,
    fn: async () => {
      await using scene = await startScene();
      await lftp(scene, use, `mirror -L box ${scene.local}/box || echo`);
      assertEquals(await readTree(`${scene.local}/box`), { "plain.txt": "plain", "file.txt": "a" });
    },
  }));

  Deno.test(programTest({
    program: "lftp",
    name: `lftp deletes links to folders, and nothing behind them, by ${listing}`,
    fn: async () => {
      await using scene = await startScene();
      await Deno.symlink("releases/42", `${scene.home}/current`);
      await lftp(scene, use, "rm -r current", "rm -r box");
      assertEquals(await readTree(scene.home), RELEASES);
    },
  }));
}

Deno.test(programTest({
  program: "wget",
  name: "wget -r fetches a folder with a link to itself once",
  fn: async () => {
    await using scene = await startScene();
    const { server, target, local } = scene;
    const url = `ftp://${USER.name}:${USER.password}@${server.host}:${server.port}/box/`;
    // It tells by its status that it cannot fetch a link to a folder as a file
    await runClient(target, "wget", ["-q", "-r", "-nH", "-P", local, url], { success: [0, 8] });
    assertEquals(await readTree(`${local}/box`), { "plain.txt": "plain", "file.txt": "a" });
  },
}));

const FTPUTIL = "/usr/lib/python3/dist-packages/ftputil/__init__.py";
const WALK = `
import ftplib, sys, ftputil, ftputil.session
host, port, user, password = sys.argv[1:]
factory = ftputil.session.session_factory(base_class=ftplib.FTP, port=int(port), encoding="UTF-8")
with ftputil.FTPHost(host, user, password, session_factory=factory) as ftp:
    for path, folders, files in ftp.walk("/box"):
        print(path, sorted(folders), sorted(files))
    print(ftp.path.islink("/box/current"), ftp.path.isdir("/box/current"), sorted(ftp.listdir("/box/current")))
    ftp.rmtree("/box")
`;

Deno.test(programTest({
  program: FTPUTIL,
  name: "ftputil walks over links, and removes a tree with links in it alone",
  fn: async () => {
    await using scene = await startScene();
    const { server, target } = scene;
    const args = ["-c", WALK, server.host, `${server.port}`, USER.name, USER.password];
    assertEquals((await runClient(target, "/usr/bin/python3", args)).trimEnd().split("\n"), [
      "/box ['current', 'self'] ['file.txt', 'plain.txt']",
      "True True ['a.txt', 'b.txt']",
    ]);
    assertEquals(await readTree(scene.home), RELEASES);
  },
}));

const WILDCARD = `
import io, sys, pycurl
curl, received = pycurl.Curl(), io.BytesIO()
curl.setopt(curl.URL, sys.argv[1])
curl.setopt(curl.WILDCARDMATCH, 1)
curl.setopt(curl.WRITEDATA, received)
curl.perform()
print(received.getvalue().decode())
`;

Deno.test(programTest({
  program: "/usr/lib/python3/dist-packages/curl/__init__.py",
  name: "libcurl fetches the files that a pattern matches beside links to folders",
  fn: async () => {
    await using scene = await startScene();
    const { server, target } = scene;
    const url = `ftp://${USER.name}:${USER.password}@${server.host}:${server.port}/box/*`;
    assertEquals((await runClient(target, "/usr/bin/python3", ["-c", WILDCARD, url])).trim(), "aplain");
  },
}));
