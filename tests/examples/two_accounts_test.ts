import { assertEquals } from "@std/assert";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

Deno.test("two_accounts.ts lets admin write in one home, and anybody read in the other", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.mkdir(`${folder.path}/admin`);
  await Deno.mkdir(`${folder.path}/public`);
  await Deno.writeTextFile(`${folder.path}/public/hello.txt`, "Hello");
  await using example = await ExampleProgram.start("two_accounts", { cwd: folder.path });
  await using admin = await example.connect();
  await admin.expect(331, "USER admin");
  assertEquals((await admin.expect(230, "PASS 12345")).text, "230 Hello admin.");
  await admin.expect(200, "PBSZ 0");
  await admin.expect(200, "PROT P");
  await admin.store("note.txt", new TextEncoder().encode("for admins"));
  await admin.expect(257, "MKD reports");
  assertEquals(await Deno.readTextFile(`${folder.path}/admin/note.txt`), "for admins");
  await using guest = await example.login();
  assertEquals(await guest.list("NLST"), "hello.txt\r\n");
  assertEquals((await guest.command("MKD reports")).text, "550 Not enough privileges.");
  await example.stop();
});
