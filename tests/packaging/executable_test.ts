import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import project from "../../deno.json" with { type: "json" };
import { shortHelp } from "../../lib/cli/help_text.ts";
import { Installation, USER } from "../cli/installation.ts";
import { runMain, SpawnedServer } from "../cli/spawned_server.ts";
import { TestServer } from "../helpers/test_server.ts";
import { executableTest } from "./executable.ts";

/** Of the password `secret`: argon2id, checked by a library that is loaded when it is needed. */
const ARGON2 = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$+H4vXYFWoXb2B34RuwJIpQ";

const flags: readonly string[] = [];

Deno.test(executableTest("the executable shows its version and its help", async (executable) => {
  const version = await runMain({ executable, flags, args: ["--version"] });
  assertEquals(version, { code: 0, stdout: `ftpsd ${project.version}\n`, stderr: "" });
  const help = await runMain({ executable, flags, args: ["--help"] });
  assertEquals(help, { code: 0, stdout: `${shortHelp()}\n`, stderr: "" });
}));

Deno.test(
  executableTest("the executable serves readers, has given up writing, and ends on a signal", async (executable) => {
    await using installation = await Installation.create("");
    await Deno.writeTextFile(`${installation.home}/file.txt`, "text");
    await using server = await SpawnedServer.start({ executable, flags, args: [installation.home] });
    await server.line(/sharing .* for reading with anybody/);
    assertEquals(server.lines.filter((line) => line.includes("excess-permissions")), []);
    await using client = await server.login();
    await client.expect(200, "TYPE I");
    assertEquals(new TextDecoder().decode(await client.retrieve("file.txt")), "text");
    await client.expect(550, "STOR new.txt");
    server.kill("SIGTERM");
    assertEquals((await server.exited()).code, 0);
  }),
);

Deno.test(executableTest("the executable examines a server", async (executable) => {
  await using server = await TestServer.start();
  await using installation = await Installation.create(`users: [{ name: bob, password: "x", home: home }]\n`);
  await Deno.writeTextFile(`${installation.path}/ca.pem`, server.caCert);
  const { code, stdout } = await runMain({
    executable,
    flags,
    args: ["doctor", `127.0.0.1:${server.port}`, "--ca", `${installation.path}/ca.pem`],
  });
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /^ok {7}tls-handshake: TLSv1\.3/m);
}));

Deno.test(executableTest("the executable lets a user write, in several event loops", async (executable) => {
  await using installation = await Installation.create("");
  const args = [installation.home, "-w", "-u", "bob", "-P", "secret", "--workers", "2"];
  await using server = await SpawnedServer.start({ executable, flags, args });
  await server.line(/2 event loops/);
  for (const name of ["one", "two", "three", "four"]) {
    await using client = await server.login("bob", "secret");
    await client.store(name, new TextEncoder().encode(name));
    assertEquals(await Deno.readTextFile(`${installation.home}/${name}`), name);
  }
}));

Deno.test(
  executableTest("the executable makes a certificate, and loads what is loaded by a name", async (executable) => {
    const text = `listen: [{ port: 0 }]
tls: { certificate: certs/server.crt, key: certs/server.key }
encoding: cp850
users: [{ name: bob, password: "${ARGON2}", home: home }]
`;
    await using installation = await Installation.create(text);
    const made = await runMain({ executable, flags, args: ["cert", "--out", `${installation.path}/certs`] });
    assertEquals([made.code, made.stderr], [0, ""]);
    const args = ["--config", installation.file];
    const checked = await runMain({ executable, flags, args: ["check", ...args] });
    assertEquals(checked.code, 0, checked.stdout);
    await Deno.writeTextFile(`${installation.home}/Käse`, "text");
    await using server = await SpawnedServer.start({ executable, flags, args, hasOwnPorts: true });
    await using client = await server.login("bob", "secret");
    assertStringIncludes(await client.list("NLST"), "K");
    const printed = await runMain({ executable, flags, args: ["permissions", ...args] });
    assertMatch(printed.stdout, /^deno run --no-prompt --allow-net=127\.0\.0\.1 .* jsr:@ftpsd\/ftpsd@/);
  }),
);

Deno.test(
  executableTest("the executable ends with status 2 on a command line that cannot be used", async (executable) => {
    const { code, stderr } = await runMain({ executable, flags, args: ["--wirte"] });
    assertEquals([code, stderr], [2, "error: unknown option --wirte; did you mean --write?\nhint: ftpsd help serve\n"]);
    await using installation = await Installation.create(`${USER}unknown: true\n`);
    const refused = await runMain({ executable, flags, args: ["--config", installation.file] });
    assertEquals([refused.code, refused.stdout], [2, ""]);
  }),
);
