import { assertEquals } from "@std/assert";
import { FileCredentials } from "../../../lib/filesystem/object/s3_credentials.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";

Deno.test("FileCredentials.read() has the same for all who ask while the files are read for the first time", async () => {
  await using folder = await TemporaryFolder.create();
  const [accessKeyFile, secretKeyFile] = [`${folder.path}/id`, `${folder.path}/secret`];
  await Deno.writeTextFile(accessKeyFile, "id\n");
  await Deno.writeTextFile(secretKeyFile, "word\n");
  const credentials = new FileCredentials({ accessKeyFile, secretKeyFile });
  const asked = await Promise.all([1, 2, 3].map(() => credentials.read({ renew: false })));
  assertEquals(asked, asked.map(() => ({ accessKeyId: "id", secretAccessKey: "word" })));
});
