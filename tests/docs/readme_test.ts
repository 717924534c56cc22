import { assert } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { adapted, blocksOf, curlWith, freshClone, portOf, TYPED } from "./fresh_clone.ts";
import { ShellScript } from "./shell_script.ts";

const SECTION = "On the command line";

Deno.test(programTest({
  program: "curl",
  name: "README.md: a folder is shared with a user, who may write",
  fn: async () => {
    await using folder = await freshClone();
    const [share = ""] = blocksOf("README.md", SECTION, "sh");
    const changes = { ...TYPED, "--interface 0.0.0.0": "--interface 127.0.0.1 --port 0" };
    await using server = new ShellScript(adapted(share, changes), { folder: folder.path });
    const port = await portOf(server);
    const upload = "curl --ssl-reqd -k -u scanner -T README.md ftp://localhost:2121/";
    await ShellScript.run(curlWith(upload, port), { folder: folder.path });
    assert((await Deno.stat(`${folder.path}/inbox/README.md`)).size > 0);
    await server.stop();
  },
}));

Deno.test("README.md: the task shares the current folder", async () => {
  await using folder = await freshClone();
  const [start = ""] = blocksOf("README.md", "Try it", "sh");
  const changes = { "npx -y deno@2.9.6 task start": "deno task start --port 0" };
  await using server = new ShellScript(adapted(start, changes), { folder: folder.path });
  await server.output(new RegExp(`sharing ${folder.path} for reading with anybody on this host`));
  await server.stop();
});
