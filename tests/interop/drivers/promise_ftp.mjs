// promise-ftp, on Node; for its arguments see driver.ts.
import { once } from "node:events";
import { createReadStream, createWriteStream, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";

// The package stands in this folder, which only Node looks into.
const PromiseFtp = createRequire(import.meta.url)("promise-ftp");
const [host, port, protection, caFile, , user, password, ...steps] = process
  .argv.slice(2);
const ftp = new PromiseFtp();
const secureOptions = caFile === "" ? {} : { ca: readFileSync(caFile) };
const secure = { explicit: true, implicit: "implicit" }[protection] ?? false;
await ftp.connect({
  host,
  port: Number(port),
  user,
  password,
  secure,
  secureOptions,
});

async function get(remote, local, flags = "w") {
  await pipeline(await ftp.get(remote), createWriteStream(local, { flags }));
}

const operations = {
  async list(path) {
    for (const { name } of await ftp.list(path)) {
      process.stdout.write(`${name}\n`);
    }
  },
  get,
  put: (remote, local) => ftp.put(local, remote),
  async resumeGet(remote, local) {
    await ftp.restart(statSync(local).size);
    await get(remote, local, "a");
  },
  async resumePut(remote, local) {
    await ftp.append(
      createReadStream(local, { start: await ftp.size(remote) }),
      remote,
    );
  },
  async abort(path) {
    const stream = await ftp.get(path);
    const begun = once(stream, "data");
    stream.resume();
    await begun;
    const silence = setTimeout(3000, undefined, { ref: false }).then(() =>
      Promise.reject(new Error("ABOR is not answered"))
    );
    await Promise.race([ftp.abort(), silence]);
  },
  rename: (from, to) => ftp.rename(from, to),
  mkdir: (path) => ftp.mkdir(path),
  rmdir: (path) => ftp.rmdir(path),
  delete: (path) => ftp.delete(path),
};
for (let at = 0; at < steps.length; at += 3) {
  await operations[steps[at]](steps[at + 1], steps[at + 2]);
}
await ftp.end();
