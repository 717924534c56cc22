import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { programTest } from "../helpers/client_program.ts";
import { runProgram } from "../helpers/run_program.ts";
import { Installation, USER } from "./installation.ts";
import { denoArguments, runMain, SpawnedServer } from "./spawned_server.ts";

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
      const asked = await runMain({ flags, args: ["status", "--config", file] });
      assertEquals([asked.code, asked.stdout.split("\n")[0]], [0, "ready        yes"]);
      const second = await runMain({ flags, args: ["--config", file, "--port", "0"] });
      assertEquals([second.code, second.stderr.match(/error: (.*)/)?.[1]], [
        1,
        `the socket is in use: ${socket} (admin)`,
      ]);
      const after = await runMain({ flags, args: ["who", "--url", `unix:${socket}`] });
      assertEquals([after.code, after.stdout], [0, "nobody is connected\n"]);
      server.kill("SIGUSR2");
      await server.line(/^ {4}since the start: logins 0, failed 0; transfers 0, cut 0; bytes received 0, sent 0$/);
      server.kill("SIGKILL");
      await server.exited();
      const gone = await runMain({ flags, args: ["status", "--config", file] });
      assertEquals([gone.code, gone.stderr.match(/error: (.*)/)?.[1]], [1, `the server cannot be reached: ${socket}`]);
    }
  },
}));

Deno.test({
  name: "The admin socket is not served where the umask lets others reach it before its mode is set",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using installation = await Installation.create(`listen: [{ port: 0 }]\nadmin: { unix: admin.sock }\n${USER}`);
    const { path, file } = installation;
    const { stdout } = await runMain({ flags: [`--allow-read=${file}`], args: ["permissions", "--config", file] });
    const flags = stdout.match(/--allow-\S+/g) ?? [];
    const words = [Deno.execPath(), ...denoArguments({ flags, args: ["--config", file] })];
    const { code, stderr } = await runProgram("sh", ["-c", 'umask 000; exec "$@"', "sh", ...words], {
      env: { NO_COLOR: "1" },
    });
    assertEquals(code, 1);
    assertMatch(stderr, /^error: others on this host could reach .*admin\.sock for a moment .*\nhint: umask 077/m);
    await assertRejects(() => Deno.lstat(`${path}/admin.sock`), Deno.errors.NotFound);
  },
});

Deno.test("An admin port that is in use is told in a line, and everything else is closed", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const token = "0123456789abcdef0123456789abcdef";
  await using installation = await Installation.create(
    `listen: [{ port: 0 }]\nadmin: { port: ${port}, tokenFile: admin.token }\n${USER}`,
  );
  await Deno.writeTextFile(`${installation.path}/admin.token`, token, { mode: 0o600 });
  const flags = ["--allow-net", `--allow-read=${installation.path}`];
  const { code, stderr } = await runMain({ flags, args: ["--config", installation.file] });
  assertEquals([code, stderr.match(/error: (.*)/)?.[1]], [1, `the port is in use: 127.0.0.1 port ${port} (admin)`]);
});
