import { assertEquals, assertMatch } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { Installation, USER } from "./installation.ts";
import { runMain, SpawnedServer } from "./spawned_server.ts";

Deno.test(programTest({
  program: "curl",
  name:
    "The admin API is on a Unix socket without a token, with the rights that ftpsd permissions prints, and for this user alone",
  fn: async () => {
    await using installation = await Installation.create(`listen: [{ port: 0 }]\nadmin: { unix: admin.sock }\n${USER}`);
    const { path, file } = installation;
    const { stdout } = await runMain({ flags: [`--allow-read=${file}`], args: ["permissions", "--config", file] });
    const flags = stdout.match(/--allow-\S+/g) ?? [];
    const socket = `${path}/admin.sock`;
    for (const _run of ["first", "after a kill"]) {
      await using server = await SpawnedServer.start({ flags, args: ["--config", file] });
      await server.line(/FTPS \(explicit TLS\) server on/);
      assertEquals(((await Deno.stat(socket)).mode ?? 0) & 0o777, 0o600);
      const args = ["--silent", "--unix-socket", socket, "http://localhost/api/v1/server"];
      const { stdout: answer } = await new Deno.Command("curl", { args }).output();
      assertMatch(new TextDecoder().decode(answer), /"isReady":true/);
      server.kill("SIGKILL");
      await server.exited();
    }
  },
}));
