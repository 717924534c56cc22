// basic-ftp, on Node; for its arguments see driver.ts.
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

// The package stands in this folder, which only Node looks into.
const { Client } = createRequire(import.meta.url)("basic-ftp");
const [host, port, protection, caFile, , user, password, ...steps] = process
  .argv.slice(2);
const ftp = new Client(20_000);
await ftp.access({
  host,
  port: Number(port),
  user,
  password,
  secure: protection === "implicit" ? "implicit" : true,
  secureOptions: caFile === "" ? {} : { ca: readFileSync(caFile) },
});

const operations = {
  async list(path) {
    for (const { name } of await ftp.list(path)) {
      process.stdout.write(`${name}\n`);
    }
  },
  get: (remote, local) => ftp.downloadTo(local, remote),
  put: (remote, local) => ftp.uploadFrom(local, remote),
  resumeGet: (remote, local) => ftp.downloadTo(local, remote, statSync(local).size),
  resumePut: async (remote, local) => ftp.appendFrom(local, remote, { localStart: await ftp.size(remote) }),
  rename: (from, to) => ftp.rename(from, to),
  mkdir: (path) => ftp.send(`MKD ${path}`),
  rmdir: (path) => ftp.send(`RMD ${path}`),
  delete: (path) => ftp.remove(path),
  mirrorGet: (remote, local) => ftp.downloadToDir(local, remote),
  mirrorPut: (remote, local) => ftp.uploadFromDir(local, remote),
};
for (let at = 0; at < steps.length; at += 3) {
  await operations[steps[at]](steps[at + 1], steps[at + 2]);
}
ftp.close();
