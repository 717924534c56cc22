import { assertEquals } from "@std/assert";
import { Ajv } from "ajv";
import { HookAccounts } from "../../lib/accounts/hook_accounts.ts";
import { HOOK_TOKEN } from "../helpers/account_hook.ts";
import { TemporaryFolder } from "../helpers/temporary_folder.ts";
import { ExampleProgram } from "./example_program.ts";

Deno.test("account_hook.ts lets in who knows a password, as the schema says, and answers nobody without the token", async () => {
  await using folder = await TemporaryFolder.create();
  const tokenFile = `${folder.path}/hook.token`;
  await Deno.writeTextFile(tokenFile, HOOK_TOKEN);
  await using example = await ExampleProgram.start("account_hook", { cwd: folder.path, exchange: { "8080": "0" } });
  const url = `http://127.0.0.1:${await example.port()}/`;
  using accounts = new HookAccounts({ url, tokenFile });
  const { signal } = new AbortController();
  const login = (username: string, password: string) =>
    accounts.login({ username, password, remoteHost: "192.0.2.1" }, { signal });
  const entry = await login("alice", "correct horse");
  assertEquals(entry, { name: "alice", home: "alice", permissions: "elrw" });
  assertEquals([await login("alice", "wrong"), await login("bob", "correct horse")], [undefined, undefined]);
  const answer = await fetch(url, { method: "POST", body: "{}" });
  await answer.body?.cancel();
  assertEquals(answer.status, 500);
  const schema = JSON.parse(await Deno.readTextFile(new URL("../../docs/account-hook.schema.json", import.meta.url)));
  const validate = new Ajv({ strict: false }).compile({ ...schema, $ref: "#/definitions/answer" });
  assertEquals([validate(entry), validate({ home: "alice", password: "x" }), validate({ hme: 1 })], [
    true,
    false,
    false,
  ]);
  await example.stop();
});
