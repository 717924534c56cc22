import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { AdminServer } from "../helpers/admin_server.ts";
import { programTest } from "../helpers/client_program.ts";
import { denoArguments } from "./spawned_server.ts";

const SESSION = new URL("./terminal_session.py", import.meta.url).pathname;

for (const [how, name] of [["q", "q"], ["SIGTERM", "SIGTERM"]] as const) {
  Deno.test(programTest({
    program: "python3",
    name: `ftpsd top shows sessions in a terminal until ${name}, and leaves the terminal as it was`,
    fn: async () => {
      await using admin = await AdminServer.start();
      await using _client = await admin.login();
      const { port } = admin.server.admin ?? {};
      const token = `${admin.folder}/admin.token`;
      const command = [
        Deno.execPath(),
        ...denoArguments({
          flags: [`--allow-net=127.0.0.1:${port}`, `--allow-read=${token}`],
          args: ["top", "--url", admin.url, "--token-file", token],
        }),
      ];
      const { stdout } = await new Deno.Command("python3", { args: [SESSION, "alice", how, ...command] }).output();
      const { status, isRestored, shown } = JSON.parse(new TextDecoder().decode(stdout));
      assertEquals(status, 0, shown);
      assert(isRestored, shown);
      assertStringIncludes(shown, "sessions 1, transfers 0");
      // The other screen and the cursor, on and off.
      // deno-lint-ignore no-control-regex -- as terminals are told
      assertMatch(shown, /\x1b\[\?1049h\x1b\[\?25l[^]*\x1b\[\?25h\x1b\[\?1049l\s*$/);
    },
  }));
}
