// node-ftp (npm: ftp), on Node; for its arguments see driver.ts.
import { once } from "node:events";
import { createReadStream, createWriteStream, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

// The package stands in this folder, which only Node looks into.
const Client = createRequire(import.meta.url)("ftp");
const [host, port, protection, caFile, , user, password, ...steps] = process
  .argv.slice(2);
const ftp = new Client();
const call = (name, ...args) => promisify(ftp[name].bind(ftp))(...args);

await new Promise((ready, reject) => {
  ftp.on("ready", ready);
  ftp.on("error", reject);
  const secureOptions = caFile === "" ? {} : { ca: readFileSync(caFile) };
  const secure = { explicit: true, implicit: "implicit" }[protection] ?? false;
  ftp.connect({
    host,
    port: Number(port),
    user,
    password,
    secure,
    secureOptions,
    connTimeout: 3000,
  });
});

async function get(remote, local, flags = "w") {
  await pipeline(
    await call("get", remote),
    createWriteStream(local, { flags }),
  );
}

const operations = {
  async list(path) {
    for (const { name } of await call("list", path)) {
      process.stdout.write(`${name}\n`);
    }
  },
  get,
  put: (remote, local) => call("put", local, remote),
  async resumeGet(remote, local) {
    await call("restart", statSync(local).size);
    await get(remote, local, "a");
  },
  async resumePut(remote, local) {
    await call(
      "append",
      createReadStream(local, { start: await call("size", remote) }),
      remote,
    );
  },
  async abort(path) {
    const stream = await call("get", path);
    const begun = once(stream, "data");
    stream.resume();
    await begun;
    const silence = setTimeout(3000, undefined, { ref: false }).then(() =>
      Promise.reject(new Error("ABOR is not answered"))
    );
    await Promise.race([call("abort"), silence]);
  },
  rename: (from, to) => call("rename", from, to),
  mkdir: (path) => call("mkdir", path),
  rmdir: (path) => call("rmdir", path),
  delete: (path) => call("delete", path),
};
for (let at = 0; at < steps.length; at += 3) {
  await operations[steps[at]](steps[at + 1], steps[at + 2]);
}
ftp.end();
