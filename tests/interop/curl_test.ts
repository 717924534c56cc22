import { USER } from "../helpers/test_server.ts";
import { requireProgram } from "../helpers/run_program.ts";
import { type FilePair, type RealClient, type Target, testClient } from "./client_suite.ts";

const CURL: RealClient = {
  name: "curl",
  program: "curl",
  distrust: /status 60: .*certificate/s,
  // Over TLS 1.2 curl 7.88 asks for no tickets, and sessions by their id are unknown to the server.
  resumes: ["TLSv1.3"],

  async list(target: Target): Promise<readonly string[]> {
    // curl turns line ends into those of the host.
    return (await curl(target, ["--list-only", urlOf(target, "")])).split("\n").filter((name) => name !== "");
  },

  async upload(target: Target, files: readonly FilePair[]): Promise<void> {
    await curl(target, files.flatMap(({ local, remote }) => ["--upload-file", local, urlOf(target, remote)]));
  },

  async download(target: Target, files: readonly FilePair[]): Promise<void> {
    await curl(target, files.flatMap(({ local, remote }) => ["--output", local, urlOf(target, remote)]));
  },

  async resumeUpload(target: Target, { local, remote }: FilePair): Promise<void> {
    await curl(target, ["--continue-at", "-", "--upload-file", local, urlOf(target, remote)]);
  },

  async resumeDownload(target: Target, { local, remote }: FilePair): Promise<void> {
    await curl(target, ["--continue-at", "-", "--output", local, urlOf(target, remote)]);
  },
};

function curl(target: Target, args: readonly string[]): Promise<string> {
  const trust = target.caFile === undefined ? [] : ["--cacert", target.caFile];
  const user = ["--user", `${USER.name}:${USER.password}`];
  return requireProgram("curl", ["--silent", "--show-error", "--globoff", "--ssl-reqd", ...trust, ...user, ...args]);
}

function urlOf({ host, port, protection }: Target, name: string): string {
  const scheme = protection === "implicit" ? "ftps" : "ftp";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}/${encodeURIComponent(name)}`;
}

testClient(CURL);
