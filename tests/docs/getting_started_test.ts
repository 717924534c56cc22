import { assert, assertEquals, assertMatch } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import type { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { adapted, blocksOf, curlWith, freshClone, portOf, TYPED } from "./fresh_clone.ts";
import { ShellScript } from "./shell_script.ts";

const PAGE = "docs/getting-started.md";

Deno.test(programTest({
  program: "curl",
  name: "getting-started.md: a folder is shared, and the printed line of curl lists it",
  fn: async () => {
    await using folder = await freshClone();
    const [start = ""] = blocksOf(PAGE, "Share a folder now", "sh");
    await using server = new ShellScript(adapted(start, { "task start ~/photos": "task start ~/photos --port 0" }), {
      folder: folder.path,
    });
    const [, curl = ""] = await server.output(/curl: (curl .*)\n/);
    await Deno.writeTextFile(`${folder.path}/photos/sea.jpg`, "");
    const list = await ShellScript.run(curlWith(curl), { folder: folder.path });
    assertMatch(list, /^-r.* sea\.jpg\r?\n$/);
    await server.stop();
  },
}));

Deno.test(programTest({
  program: "curl",
  name: "getting-started.md: a folder is shared with a user, who may write",
  fn: async () => {
    await using folder = await freshClone();
    const [, share = ""] = blocksOf(PAGE, "Share a folder now", "sh");
    const changes = { ...TYPED, "--interface 0.0.0.0": "--interface 127.0.0.1 --port 0" };
    await using server = new ShellScript(adapted(share, changes), { folder: folder.path });
    const port = await portOf(server);
    const upload = `curl --ssl-reqd -k -u alice -T README.md ftp://localhost:2121/`;
    await ShellScript.run(curlWith(upload, port), { folder: folder.path });
    assertEquals(await readIn(folder, "inbox/README.md"), await readIn(folder, "README.md"));
    await server.stop();
  },
}));

Deno.test("getting-started.md: init writes a configuration in which nothing is wrong", async () => {
  await using folder = await freshClone();
  const [init = ""] = blocksOf(PAGE, "Run a server for years", "sh");
  const printed = await ShellScript.run(adapted(init, { "init server": "init server --yes" }), { folder: folder.path });
  assertMatch(printed, /^checked: the server would start$/m);
  assertMatch(await readIn(folder, "server/ftpsd.yaml"), /home: files$/m);
});

Deno.test(programTest({
  program: "curl",
  name: "getting-started.md: a configuration is written, checked, served, and used",
  fn: async () => {
    await using folder = await freshClone();
    const options = { folder: folder.path };
    const [_init, prepare = "", check = "", upload = ""] = blocksOf(PAGE, "Run a server for years", "sh");
    const [yaml = ""] = blocksOf(PAGE, "Run a server for years", "yaml");
    const [hash] = /^\$scrypt\$.*$/m.exec(await ShellScript.run(adapted(prepare, TYPED), options)) ?? [];
    assert(hash !== undefined);
    const file = adapted(yaml, { "host: 0.0.0.0, port: 2121": "host: 127.0.0.1, port: 0" });
    await Deno.writeTextFile(`${folder.path}/ftpsd.yaml`, file.replace(/\$scrypt\$\S+/, () => hash));
    const printed = await ShellScript.run(check, options);
    assertMatch(printed, /^the server would start$/m);
    const [line = ""] = /^deno run .*$/m.exec(printed) ?? [];
    await using server = new ShellScript(line, options);
    await ShellScript.run(curlWith(upload, await portOf(server)), options);
    assertEquals(await readIn(folder, "inbox/README.md"), await readIn(folder, "README.md"));
    await server.stop();
  },
}));

Deno.test(programTest({
  program: "curl",
  name: "getting-started.md: a program has a server in it",
  fn: async () => {
    await using folder = await freshClone();
    const options = { folder: folder.path };
    const [program = ""] = blocksOf(PAGE, "Put a server into a program", "ts");
    const [run = "", upload = ""] = blocksOf(PAGE, "Put a server into a program", "sh");
    const anyPort = adapted(program, {
      "  authorizer,\n": "  authorizer,\n  listen: [{ port: 0 }],\n",
      "await server.listen();\n": "await server.listen();\nconsole.log(`port ${server.addresses[0]?.port}.`);\n",
    });
    await Deno.writeTextFile(`${folder.path}/server.ts`, anyPort);
    await using server = new ShellScript(run, options);
    const [, port = ""] = await server.output(/^port (\d+)\./m);
    await ShellScript.run(curlWith(upload, port), options);
    await server.output(/^\/README\.md has arrived: \d+ bytes$/m);
  },
}));

function readIn(folder: TemporaryFolder, path: string): Promise<string> {
  return Deno.readTextFile(`${folder.path}/${path}`);
}
