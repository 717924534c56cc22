/**
 * `ftpsd serve`: shares one folder until it is told to stop.
 *
 * @module
 */

import { InsecureConfigurationError } from "../auth/insecure_configuration_error.ts";
import { ALL_PERMISSIONS, READ_PERMISSIONS } from "../auth/permission.ts";
import type { EventListener } from "../events.ts";
import { Logger } from "../logger.ts";
import { FtpServer } from "../server/ftp_server.ts";
import { VirtualAuthorizer } from "../server/virtual_authorizer.ts";
import { ConnectionError } from "../transport/connection.ts";
import { type ExitError, StartError, UsageError } from "./exit_error.ts";
import { requirePermissions } from "./permissions.ts";
import type { ServeSettings } from "./serve_settings.ts";
import { describeStart } from "./start_text.ts";

/** How long running transfers may go on after the first signal. */
const GRACE_MS = 10_000;

/**
 * Serves until SIGINT or SIGTERM.
 *
 * @throws {ExitError} When it cannot start.
 */
export async function serve(settings: ServeSettings, write: (line: string) => void): Promise<void> {
  const { format, dialogue, stacks } = settings.log;
  const logger = new Logger({ format, level: dialogue ? "debug" : "info", stacks, write });
  await requirePermissions(settings);
  const directory = await checkDirectory(settings.directory);
  const authorizer = await createAuthorizer(settings, directory);
  const { listen, server: options } = settings;
  const tls = { ...options.tls, ...await readCertificateFiles(settings.certificateFiles) };
  const onEvent: EventListener = (event) => logger.event(event);
  const server = await explaining(settings, () => new FtpServer({ ...options, authorizer, listen, tls, onEvent }));
  // Before the server tells that it listens: who waits for that may send a signal at once.
  using _signals = onSignals((signal) => {
    logger.remark("info", `received ${signal}, shutting down`);
    return server.shutdown({ graceMs: GRACE_MS });
  });
  await explaining(settings, () => server.listen());
  for (const { level, text } of describeStart(settings, directory, server)) logger.remark(level, text);
  await server.finished;
}

/** Puts what can go wrong at start in the words of the command line. */
async function explaining<Result>(settings: ServeSettings, step: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    throw explain(error, settings);
  }
}

async function checkDirectory(directory: string): Promise<string> {
  try {
    const path = await Deno.realPath(directory);
    if ((await Deno.stat(path)).isDirectory) return path;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    const isMissing = error instanceof Deno.errors.NotFound;
    const problem = isMissing ? "no such folder" : "cannot open the folder";
    throw new UsageError(`${problem}: ${directory}`, "ftpsd DIR with a folder that exists", { cause: error });
  }
  throw new UsageError(`not a folder: ${directory}`, "ftpsd DIR with a folder that exists");
}

async function createAuthorizer(settings: ServeSettings, directory: string): Promise<VirtualAuthorizer> {
  const authorizer = new VirtualAuthorizer();
  const permissions = settings.write ? ALL_PERMISSIONS : READ_PERMISSIONS;
  const { user } = settings;
  if (user !== undefined) {
    const password = "text" in user.password ? user.password.text : await readPassword(user.password.file);
    addUser(authorizer, user.name, password, directory, permissions);
    return authorizer;
  }
  try {
    authorizer.addAnonymous(directory, { permissions, forceWrite: settings.forceAnonymousWrite });
  } catch (error) {
    if (!(error instanceof InsecureConfigurationError)) throw error;
    throw new UsageError(
      `anybody could change files: risk ${error.risk} (--write without --username)`,
      "add --username NAME --password-file FILE, or --force-anonymous-write",
      { cause: error },
    );
  }
  return authorizer;
}

function addUser(
  authorizer: VirtualAuthorizer,
  name: string,
  password: string,
  directory: string,
  permissions: string,
): void {
  try {
    authorizer.addUser(name, password, directory, { permissions });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(`${error.message} (--username)`, undefined, { cause: error });
  }
}

async function readPassword(file: string): Promise<string> {
  const text = await readTextFile(file, "--password-file");
  const password = text.replace(/\r?\n$/, "");
  if (password === "") throw new UsageError(`the password is empty (--password-file ${file})`);
  return password;
}

async function readCertificateFiles(
  files: ServeSettings["certificateFiles"],
): Promise<{ certificate: string; key: string } | undefined> {
  return files && {
    certificate: await readTextFile(files.certificate, "--certfile"),
    key: await readTextFile(files.key, "--keyfile"),
  };
}

async function readTextFile(file: string, option: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UsageError(`no such file: ${file} (${option})`, undefined, { cause: error });
    }
    throw new StartError(`cannot read ${file} (${option})`, "check that the file is readable", { cause: error });
  }
}

/** Calls back on the first signal; the second ends the process at once. */
function onSignals(stop: (signal: Deno.Signal) => Promise<void>): Disposable {
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  let stopping: Promise<void> | undefined;
  const listeners = signals.map((signal) => ({
    signal,
    listener: () => {
      if (stopping !== undefined) Deno.exit(1);
      stopping = stop(signal);
    },
  }));
  for (const { signal, listener } of listeners) Deno.addSignalListener(signal, listener);
  return {
    [Symbol.dispose]: () => {
      for (const { signal, listener } of listeners) Deno.removeSignalListener(signal, listener);
    },
  };
}

function explain(error: unknown, settings: ServeSettings): unknown | ExitError {
  const where = settings.listen.map(({ host, port }) => `${host} port ${port}`).join(", ");
  if (error instanceof ConnectionError && error.kind === "addressInUse") {
    return new StartError(`the port is in use (${where})`, "--port 0 for any free one", { cause: error });
  }
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EACCES") {
    return new StartError(`not allowed to listen on ${where}`, "--port 2121, or another above 1023", { cause: error });
  }
  if (code === "EADDRNOTAVAIL" || code === "EINVAL") {
    return new StartError(
      `cannot listen on ${where}: no address of this host (--interface)`,
      "--interface 0.0.0.0 for all of IPv4",
      { cause: error },
    );
  }
  if (error instanceof TypeError && settings.certificateFiles !== undefined) {
    const { certificate, key } = settings.certificateFiles;
    return new UsageError(
      `${error.message} (--certfile ${certificate} --keyfile ${key})`,
      "leave out both for a certificate made in memory",
      { cause: error },
    );
  }
  if (error instanceof TypeError || error instanceof RangeError) {
    return new UsageError(error.message, undefined, { cause: error });
  }
  return error;
}
