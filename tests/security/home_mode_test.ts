import { assertEquals } from "@std/assert";
import { RISK_IDS } from "../../lib/settings/risks.ts";
import { VirtualAuthorizer } from "../../lib/server/virtual_authorizer.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { TestServer, USER } from "../helpers/test_server.ts";

/** Ways to name the user's own home, another user's home below it, and a folder that holds one. */
const HOMES = ["/", ".", "self", "self/self", "/other", "toOther", "above", "/above/.", "above/inner", "self/above"];

const modesOf = (root: string) =>
  Promise.all(
    ["", "/other", "/above", "/above/inner"].map(async (name) => ((await Deno.stat(root + name)).mode ?? 0) & 0o777),
  );

Deno.test({
  name: "Nobody changes the mode of a home, nor of a folder above one: its risks are for who runs the server",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using folder = await TemporaryFolder.create();
    const home = `${folder.path}/home`;
    for (const name of ["", "/other", "/above", "/above/inner", "/mine"]) {
      await Deno.mkdir(home + name, { mode: 0o755 });
    }
    await Deno.symlink(".", `${home}/self`);
    await Deno.symlink("other", `${home}/toOther`);
    const authorizer = new VirtualAuthorizer({ acceptRisks: RISK_IDS });
    authorizer.addUser(USER.name, USER.password, home, { permissions: "elradfmwMT" });
    authorizer.addUser("other", USER.password, `${home}/above/../other`);
    authorizer.addUser("inner", USER.password, `${home}/above/inner`);
    await using server = await TestServer.start({ server: { authorizer } });
    await using client = await server.login();
    const before = await modesOf(home);
    for (const path of HOMES) {
      for (const mode of ["777", "000", "0755"]) await client.expect(550, `SITE CHMOD ${mode} ${path}`);
      await client.expect(550, `MFF unix.mode=0777; ${path}`);
      await client.expect(213, `MFF modify=20200101000000; ${path}`);
    }
    assertEquals(await modesOf(home), before);
    await client.expect(200, "SITE CHMOD 777 mine");
    await client.store("/file", new Uint8Array(1));
    await client.expect(213, "MFF unix.mode=0666; self/file");
    assertEquals(((await Deno.stat(`${home}/mine`)).mode ?? 0) & 0o777, 0o777);
  },
});
