/**
 * What of a server's options is opened or decided at the start, and stays as it is until the server ends.
 *
 * @module
 */

import type { FtpServerOptions, TlsOptions } from "./options.ts";

/** Returns the options that hold when a server that runs with some is given others. */
export function withFixedOptions(running: FtpServerOptions, next: FtpServerOptions): FtpServerOptions {
  const { listen, encoding, passive, refuseConnection } = running;
  const { listen: _listen, encoding: _encoding, refuseConnection: _refuse, passive: nextPassive, ...rest } = next;
  const { ports: _ports, ...otherPassive } = nextPassive ?? {};
  return withOwnHandlers(running, {
    ...rest,
    ...present({ listen, encoding, refuseConnection }),
    passive: { ...otherPassive, ...present({ ports: passive?.ports }) },
    tls: fixedTls(running.tls ?? {}, next.tls ?? {}),
  });
}

/** Returns options with those of others about who is told of what happens, which are taken by the constructor alone. */
export function withOwnHandlers(own: FtpServerOptions, next: FtpServerOptions): FtpServerOptions {
  const { onEvent: _onEvent, on: _on, dialogue: _dialogue, signal: _signal, ...rest } = next;
  const { onEvent, on, dialogue, signal } = own;
  return { ...rest, ...present({ onEvent, on, dialogue, signal }) };
}

/** Without a certificate in the new options the one in use stays. Where there is no TLS, none of it changes. */
function fixedTls(running: TlsOptions, next: TlsOptions): TlsOptions {
  if ((running.policy === "off") !== (next.policy === "off")) return running;
  const { minVersion, maxVersion, certificate, key } = running;
  const { minVersion: _min, maxVersion: _max, ...rest } = next;
  return {
    ...present({ minVersion, maxVersion }),
    ...next.certificate === undefined ? present({ certificate, key }) : {},
    ...rest,
  };
}

/** Leaves out what is undefined, so that defaults hold. */
function present<Options extends object>(options: Options): { [Key in keyof Options]?: NonNullable<Options[Key]> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Options]?: NonNullable<Options[Key]>;
  };
}
