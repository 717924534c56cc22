/**
 * What the gate and the commands see of a control connection, without one.
 *
 * @module
 */

import type { Account } from "../../lib/accounts/authorizer.ts";
import { ALL_PERMISSIONS } from "../../lib/accounts/permission.ts";
import type { CommandContext } from "../../lib/commands/command.ts";
import { ALL_COMMANDS } from "../../lib/commands/command_table.ts";
import { COMMANDS } from "../../lib/commands/table.ts";
import { DataPort } from "../../lib/data/data_port.ts";
import { PortPool } from "../../lib/data/port_pool.ts";
import type { Digest, FileSystem, HashAlgorithm } from "../../lib/filesystem/filesystem.ts";
import { createDigest } from "../../lib/filesystem/node_digest.ts";
import { MemoryFileSystem } from "../../lib/filesystem/memory/memory_filesystem.ts";
import { type TextEncoding, UTF8 } from "../../lib/protocol/text_encoding.ts";
import { resolveSettings } from "../../lib/settings/validate.ts";
import type { Settings } from "../../lib/settings/settings.ts";
import { createSession, loggedIn, secured, type Session } from "../../lib/session/session.ts";
import { FakeTransport, LOCAL, PEER, TLS_INFO } from "./fake_transport.ts";
import { UNABORTED } from "./unaborted.ts";

const HAS_SLOT = true;

/** What a fake context is made of. */
export interface FakeContextOptions {
  /** Default: {@linkcode freshSession}. */
  readonly session?: Session;
  /** Default: those of a server without options. */
  readonly settings?: Settings;
}

/** Settings of a server without options. */
export function defaultSettings(): Settings {
  return resolveSettings({});
}

/** A session after the greeting. */
export function freshSession(options: { readonly implicitTls?: boolean } = {}): Session {
  return createSession({
    id: "test-1",
    local: LOCAL,
    remote: PEER,
    listenHost: LOCAL.host,
    implicitTls: options.implicitTls ?? false,
    encoding: UTF8,
  });
}

/** A session with TLS and private data connections and the given account. */
export function readySession(account: Account = fakeAccount()): Session {
  return { ...loggedIn(secured(freshSession(), TLS_INFO), account), protection: "P" };
}

function withEveryMethod(): FileSystem {
  return Object.assign(new MemoryFileSystem(), { quotas: () => Promise.resolve([]) });
}

/** An account with the given letters, all by default, and an empty file system in memory by default. */
export function fakeAccount(
  options: { readonly permissions?: string; readonly fileSystem?: FileSystem } = {},
): Account {
  const { permissions = ALL_PERMISSIONS, fileSystem = withEveryMethod() } = options;
  return {
    username: "user",
    fileSystem,
    permissions,
    loginMessage: "Login successful.",
    quitMessage: "Goodbye.",
    hasPermission: (letter) => permissions.includes(letter),
  };
}

/** A context that holds its session and knows no transfers. */
export class FakeContext implements CommandContext {
  readonly commands = COMMANDS;
  readonly findCommand = (verb: string) => ALL_COMMANDS.find(verb);
  readonly settings: Settings;
  readonly isPrompt = true;
  readonly passiveAddress: string | undefined = undefined;
  readonly dataPort: DataPort = new DataPort(new PortPool(undefined));
  readonly dataTransport: FakeTransport = new FakeTransport();
  readonly transfer = undefined;
  readonly tlsAvailable = true;
  readonly defaultEncoding: TextEncoding = UTF8;
  readonly signal: AbortSignal = UNABORTED.signal;
  session: Session;

  /** Makes a context. */
  constructor(options: FakeContextOptions = {}) {
    this.session = options.session ?? freshSession();
    this.settings = options.settings ?? defaultSettings();
  }

  get account(): Account {
    const { login } = this.session;
    if (login.state !== "loggedIn") throw new Error("Nobody is logged in");
    return login.account;
  }

  get fileSystem(): FileSystem {
    return this.account.fileSystem;
  }

  acquireAccount(): Promise<boolean> {
    return Promise.resolve(HAS_SLOT);
  }

  releaseAccount(): void {}

  update(patch: Partial<Session>): void {
    this.session = { ...this.session, ...patch };
  }

  authenticate(): Promise<"wrong"> {
    return Promise.resolve("wrong");
  }

  authorize(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  transferData(): Promise<never> {
    return Promise.reject(new Error("Nothing is transferred here"));
  }

  createDigest(algorithm: HashAlgorithm): Digest {
    return createDigest(algorithm);
  }

  transferEnded(): Promise<void> {
    return Promise.resolve();
  }

  emit(): void {}

  reportForeignPeer(): void {}
}
