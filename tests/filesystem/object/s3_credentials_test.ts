import { assert, assertEquals, assertRejects } from "@std/assert";
import { FileSystemError } from "../../../lib/filesystem/filesystem.ts";
import { FileCredentials } from "../../../lib/filesystem/object/s3_credentials.ts";
import { TemporaryFolder } from "../../helpers/temporary_folder.ts";

/** Files of credentials, and a clock. */
async function prepare(stack: AsyncDisposableStack) {
  const folder = stack.use(await TemporaryFolder.create());
  const [accessKeyFile, secretKeyFile, sessionTokenFile] = ["id", "secret", "token"].map((name) => {
    return `${folder.path}/${name}`;
  }) as [string, string, string];
  const clock = { now: 0 };
  const write = async (id: string, secret: string, token: string) => {
    await Deno.writeTextFile(accessKeyFile, `${id}\n`);
    await Deno.writeTextFile(secretKeyFile, ` ${secret}\r\n`);
    await Deno.writeTextFile(sessionTokenFile, token);
  };
  const paths = { accessKeyFile, secretKeyFile, sessionTokenFile };
  return { paths, write, clock, files: new FileCredentials({ ...paths, clock: () => clock.now }) };
}

Deno.test("FileCredentials reads files, and reads them anew a second later when they have changed, or when asked to", async () => {
  await using stack = new AsyncDisposableStack();
  const { files, write, clock } = await prepare(stack);
  await write("one", "s1", "t1");
  const one = { accessKeyId: "one", secretAccessKey: "s1", sessionToken: "t1" };
  assertEquals(await files.read({ renew: false }), one);
  await write("two", "s2", "token2");
  const two = { accessKeyId: "two", secretAccessKey: "s2", sessionToken: "token2" };
  clock.now = 999;
  assertEquals(await files.read({ renew: false }), one);
  clock.now = 1000;
  assertEquals(await files.read({ renew: false }), two);
  await write("three", "s3", "token-3");
  assertEquals((await files.read({ renew: true })).accessKeyId, "three");
});

Deno.test("FileCredentials.read() has the same for all who ask while the files are read for the first time", async () => {
  await using stack = new AsyncDisposableStack();
  const { files, write } = await prepare(stack);
  await write("one", "s1", "t1");
  const asked = await Promise.all([1, 2, 3].map(() => files.read({ renew: false })));
  assertEquals(asked, asked.map(() => ({ accessKeyId: "one", secretAccessKey: "s1", sessionToken: "t1" })));
});

Deno.test("FileCredentials keeps the last good ones while files are not there, and says unavailable when there are none", async () => {
  await using stack = new AsyncDisposableStack();
  const { files, write, clock, paths } = await prepare(stack);
  const error = await assertRejects(() => files.read({ renew: false }), FileSystemError);
  assertEquals(error.kind, "unavailable");
  await write("one", "s1", "t1");
  assertEquals((await files.read({ renew: true })).accessKeyId, "one");
  await Deno.remove(paths.secretKeyFile);
  clock.now = 5000;
  assertEquals((await files.read({ renew: false })).secretAccessKey, "s1");
  assertEquals((await files.read({ renew: true })).secretAccessKey, "s1");
  await write("two", "s2", "t2");
  clock.now = 6000;
  assertEquals((await files.read({ renew: false })).secretAccessKey, "s2");
});

Deno.test("FileCredentials refuses what is no credential, without telling it", async () => {
  await using stack = new AsyncDisposableStack();
  const { write, paths } = await prepare(stack);
  for (const secret of ["", "two words", "two\nlines", "ünicode", "x".repeat(70_000)]) {
    await write("one", secret, "t");
    const error = await assertRejects(() => new FileCredentials(paths).read({ renew: false }), FileSystemError);
    if (secret !== "") assert(!error.message.includes(secret));
  }
  await write("one", "secret", "t");
  const { accessKeyFile, secretKeyFile } = paths;
  assertEquals(await new FileCredentials({ accessKeyFile, secretKeyFile }).read({ renew: false }), {
    accessKeyId: "one",
    secretAccessKey: "secret",
  });
});
