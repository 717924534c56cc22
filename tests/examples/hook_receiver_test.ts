import { assertEquals } from "@std/assert";
import { keyOf, signedHeaders } from "../../lib/hooks/hook_message.ts";
import { TOKEN } from "../helpers/hook_receiver.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

Deno.test("hook_receiver.ts works on each event once, and on none that is not signed or old", async () => {
  await using folder = await TemporaryFolder.create();
  await Deno.writeTextFile(`${folder.path}/hook.token`, TOKEN);
  await using example = await ExampleProgram.start("hook_receiver", { cwd: folder.path, exchange: { "8080": "0" } });
  const url = `http://127.0.0.1:${await example.port()}/`;
  const send = async (path: string, { token = TOKEN, age = 0, change = "" } = {}) => {
    const message = { id: `id of ${path}`, body: JSON.stringify({ event: "fileReceived", path, username: "alice" }) };
    const headers = signedHeaders(message, keyOf(token), Math.floor(Date.now() / 1000) - age);
    const answer = await fetch(url, { method: "POST", headers, body: `${message.body}${change}` });
    await answer.body?.cancel();
    return answer.status;
  };
  assertEquals(await send("/forged", { token: "another token of 24 bytes".replaceAll(" ", "-") }), 401);
  assertEquals(await send("/old", { age: 600 }), 401);
  assertEquals(await send("/changed", { change: " " }), 401);
  assertEquals([await send("/one"), await send("/one"), await send("/two")], [204, 204, 204]);
  await example.line(/\/two/);
  assertEquals(example.lines.filter((line) => line.startsWith("fileReceived")), [
    "fileReceived /one of alice",
    "fileReceived /two of alice",
  ]);
  await example.stop();
});
