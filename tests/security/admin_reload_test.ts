/** Reloads of a configuration whose `admin` has changed: none may open the listener that is there to those without its token. */

import { assert, assertEquals } from "@std/assert";
import { serve } from "../../lib/serve/serve.ts";
import { ALICE, TOKEN } from "../helpers/admin_server.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";

const OTHER_TOKEN = "fedcba9876543210fedcba9876543210";

for (
  const [what, admin, token] of [
    ["is gone", undefined, TOKEN],
    ["has other hosts, and another token", { hosts: ["x.example"], tokenFile: "other.token" }, OTHER_TOKEN],
  ] as const
) {
  Deno.test(`A reload whose admin ${what} lets nobody in without the token, and says that the listener stays`, async () => {
    await using folder = await TemporaryFolder.create();
    const { path } = folder;
    await Deno.mkdir(`${path}/home`);
    await Deno.writeTextFile(`${path}/admin.token`, TOKEN, { mode: 0o600 });
    await Deno.writeTextFile(`${path}/other.token`, OTHER_TOKEN, { mode: 0o600 });
    const settings = (admin: Readonly<Record<string, unknown>> | undefined) => ({
      configuration: {
        listen: [{ port: 0 }],
        ...admin !== undefined && { admin },
        users: [{ ...ALICE, home: "home" }],
        acceptRisks: [{ risk: "plaintext-password", reason: "a test" }],
      },
      folder: path,
    });
    let current = settings({ port: 0, tokenFile: "admin.token" });
    const remarks: string[] = [];
    await using server = await serve(() => current, { onRemark: ({ text }) => void remarks.push(text) });
    const statusFor = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`http://127.0.0.1:${server.admin?.port}/api/v1/server`, { headers });
      await response.body?.cancel();
      return response.status;
    };
    assertEquals([await statusFor(""), await statusFor(TOKEN)], [401, 200]);
    current = settings(admin);
    await server.reload();
    assertEquals([await statusFor(""), await statusFor(token)], [401, 200]);
    assertEquals(await statusFor(token === TOKEN ? OTHER_TOKEN : TOKEN), 401);
    assert(
      remarks.some((text) => text.startsWith("admin: the change needs a restart; until then all")),
      String(remarks),
    );
  });
}
