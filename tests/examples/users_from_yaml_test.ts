import { assertEquals, assertMatch } from "@std/assert";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram, EXAMPLES } from "./example_program.ts";

/** The folder as the header wants it, and the file with the users in it. */
async function prepare(folder: TemporaryFolder): Promise<string> {
  for (const path of ["examples", "homes/alice", "homes/bob"]) {
    await Deno.mkdir(`${folder.path}/${path}`, { recursive: true });
  }
  const file = `${folder.path}/examples/users.yaml`;
  await Deno.copyFile(new URL("users.yaml", EXAMPLES), file);
  return file;
}

Deno.test("users_from_yaml.ts lets the users of the file in, with their homes and permissions", async () => {
  await using folder = await TemporaryFolder.create();
  await prepare(folder);
  await using example = await ExampleProgram.start("users_from_yaml", { cwd: folder.path });
  await using alice = await example.login("alice", "correct horse");
  await alice.store("a.txt", new TextEncoder().encode("hers"));
  assertEquals(await Deno.readTextFile(`${folder.path}/homes/alice/a.txt`), "hers");
  await using bob = await example.login("bob", "battery staple");
  assertEquals((await bob.command("MKD new")).code, 550);
  await example.stop();
});

Deno.test("users_from_yaml.ts reads the file again on SIGHUP, and ends the sessions of users who are gone", async () => {
  await using folder = await TemporaryFolder.create();
  const file = await prepare(folder);
  await using example = await ExampleProgram.start("users_from_yaml", { cwd: folder.path });
  await using alice = await example.login("alice", "correct horse");
  await using bob = await example.login("bob", "battery staple");
  await using upload = await alice.passive();
  await alice.expect(150, "STOR a.txt");
  await upload.secure();

  const [ofAlice = ""] = (await Deno.readTextFile(file)).split("- name: bob");
  await Deno.writeTextFile(
    file,
    `${ofAlice}- { name: carol, password: "12345", home: homes/alice, permissions: elw }\n`,
  );
  example.kill("SIGHUP");
  await example.line(/^Read examples\/users\.yaml again$/);
  assertEquals((await bob.readReply("SIGHUP")).text, "421 This account is closed.");
  await using carol = await example.login("carol", "12345");

  // Of another authorizer, and still the second writer of the file.
  await using second = await carol.passive();
  assertEquals((await carol.command("STOR a.txt")).code, 450);
  await second[Symbol.asyncDispose]();
  await upload.write(new TextEncoder().encode("hers"));
  await upload.finish();
  assertEquals((await alice.readReply("STOR")).code, 226);
  await example.stop();
});

Deno.test("users_from_yaml.ts stays with the old users when the file cannot be used, and tells no hash", async () => {
  const hash = "$scrypt$ln=17,r=8,p=1$632mV7Lx2+BBZyrBJzX3OQ$bJqdNMiX0WqNc1XnrpCfQstPzLP3kBIMLycT3n+EmBc";
  await using folder = await TemporaryFolder.create();
  const file = await prepare(folder);
  await using example = await ExampleProgram.start("users_from_yaml", { cwd: folder.path });
  const broken = [
    [`- { name: eve, password: ${hash}, home: [`, /^Nothing has changed: .*users\.yaml: YamlSyntaxError/],
    ["- { name: eve, home: homes/bob }", /^Nothing has changed: .* with name, password/],
    [`- { name: eve, password: ${hash}x, home: homes/bob, permissions: elrx }`, /^Nothing has changed: .*SyntaxError/],
  ] as const;
  for (const [index, [text, message]] of broken.entries()) {
    await Deno.writeTextFile(file, text);
    example.kill("SIGHUP");
    const { input } = await example.line(/^Nothing has changed/, index);
    assertMatch(input, message);
  }
  assertEquals(example.lines.filter((line) => line.includes("632mV7Lx2")), []);
  await using bob = await example.login("bob", "battery staple");
  await bob.expect(250, "CWD /");
  await example.stop();
});
