// jsftp, on Node; for its arguments see driver.ts.
import { createWriteStream, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";

// The package stands in this folder, which only Node looks into.
const JSFtp = createRequire(import.meta.url)("jsftp");
const [host, port, , , , user, password, ...steps] = process.argv.slice(2);
const ftp = new JSFtp({ host, port: Number(port), user, pass: password });
const call = (name, ...args) => promisify(ftp[name].bind(ftp))(...args);

const operations = {
  async list(path) {
    for (const { name } of await call("ls", path === "" ? "." : path)) {
      process.stdout.write(`${name}\n`);
    }
  },
  // For both, paths would do, but with today's Node its streams do not flow.
  get: async (remote, local) => pipeline(await call("get", remote), createWriteStream(local)),
  put: (remote, local) => call("put", readFileSync(local), remote),
  rename: (from, to) => call("rename", from, to),
  mkdir: (path) => call("raw", "mkd", path),
  rmdir: (path) => call("raw", "rmd", path),
  delete: (path) => call("raw", "dele", path),
};
for (let at = 0; at < steps.length; at += 3) {
  await operations[steps[at]](steps[at + 1], steps[at + 2]);
}
await call("raw", "quit");
