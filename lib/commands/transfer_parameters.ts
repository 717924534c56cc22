/**
 * Transfer parameters: TYPE, MODE, STRU, and where the next data connection comes from: PASV, PORT (RFC 959 §4.1.2), EPSV,
 * EPRT (RFC 2428).
 *
 * @module
 */

import { PortsExhaustedError } from "../data/port_pool.ts";
import {
  formatExtendedPort,
  formatHostPort,
  formatSocketAddress,
  ipFamily,
  isLinkLocal,
  parseExtendedHostPort,
  parseHostPort,
  sameHost,
} from "../protocol/host_port.ts";
import { type Reply, reply } from "../protocol/reply.ts";
import type { Settings } from "../settings/settings.ts";
import type { Session } from "../session/session.ts";
import { ConnectionError, type SocketAddress } from "../transport/connection.ts";
import type { CommandContext, CommandRequest } from "./command.ts";

/** TYPE: ASCII (non-print) or image; `L 8` is image here. */
export function representationType(context: CommandContext, request: CommandRequest): Reply {
  switch (request.argument.toUpperCase().replaceAll(" ", "")) {
    case "A":
    case "AN":
    case "L7":
      context.update({ type: "A" });
      return reply(200, "Type set to: ASCII.");
    case "I":
    case "L8":
      context.update({ type: "I" });
      return reply(200, "Type set to: Binary.");
    default:
      return reply(504, `Unsupported type "${request.argument}".`);
  }
}

/** MODE: stream only. */
export function transferMode(_context: CommandContext, request: CommandRequest): Reply {
  switch (request.argument.toUpperCase()) {
    case "S":
      return reply(200, "Transfer mode set to: S");
    case "B":
    case "C":
    case "Z":
      return reply(504, "Unimplemented MODE type.");
    default:
      return reply(501, "Unrecognized MODE type.");
  }
}

/** STRU: file only. */
export function fileStructure(_context: CommandContext, request: CommandRequest): Reply {
  switch (request.argument.toUpperCase()) {
    case "F":
      return reply(200, "File transfer structure set to: F.");
    case "P":
    case "R":
      return reply(504, "Unimplemented STRU type.");
    default:
      return reply(501, "Unrecognized STRU type.");
  }
}

/** Lowest port an ordinary process can listen on (RFC 2577 §3). */
const FIRST_UNPRIVILEGED_PORT = 1024;

/** Refuses a network protocol that nobody knows, with the list of those that there are (RFC 2428 §2). */
const UNKNOWN_PROTOCOL: Reply = reply(522, "Network protocol not supported, use (1,2).");

/** Refuses what EPSV ALL has ruled out (RFC 2428 §4). */
export function extendedPassiveSequence(verb: string): (session: Session) => Reply | undefined {
  return (session) => session.extendedPassiveOnly ? reply(501, `${verb} not allowed after EPSV ALL.`) : undefined;
}

/** The address that stands for a local one, however that is spelled. */
function announcedFor(localHost: string, addresses: Settings["passive"]["addresses"]): string | undefined {
  return Object.entries(addresses).find(([local]) => sameHost(local, localHost))?.[1];
}

/** The address that PASV announces; `undefined` where it is that of a name that has not been found. */
function announcedAddress({ session, settings, passiveAddress }: CommandContext): string | undefined {
  const { address, addresses } = settings.passive;
  const ofLocal = announcedFor(session.local.host, addresses);
  if (ofLocal !== undefined) return ofLocal;
  if (address === undefined) return session.local.host;
  return ipFamily(address) === undefined ? passiveAddress : address;
}

/** PASV: the words of the reply to the letter of RFC 959 §4.2.2, which clients look for. */
export async function passive(context: CommandContext): Promise<Reply> {
  const announced = announcedAddress(context);
  if (announced === undefined) return reply(425, "Address for PASV is not known, use EPSV.");
  if (ipFamily(announced) !== 4) return reply(522, "Network protocol not supported, use EPSV (2).");
  const opened = await openPassive(context);
  if (!("port" in opened)) return opened;
  return reply(227, `Entering Passive Mode (${formatHostPort(announced, opened.port)}).`);
}

/** EPSV: of the address only the port is new (RFC 2428 §3). */
export async function extendedPassive(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const family = ipFamily(context.session.local.host) === 6 ? "2" : "1";
  switch (request.argument.toUpperCase()) {
    case "ALL":
      context.update({ extendedPassiveOnly: true });
      return reply(200, "Other commands other than EPSV are now disabled.");
    case "":
    case family: {
      const opened = await openPassive(context);
      if (!("port" in opened)) return opened;
      return reply(229, `Entering Extended Passive Mode (${formatExtendedPort(opened.port)})`);
    }
    case "1":
    case "2":
      return wrongFamily(family);
    default:
      return UNKNOWN_PROTOCOL;
  }
}

/** Opens the data port; what comes back has the port that clients are told. */
async function openPassive(context: CommandContext): Promise<Pick<SocketAddress, "port"> | Reply> {
  const { session, settings } = context;
  try {
    const { port } = await context.dataPort.openPassive(context.dataTransport, session.listenHost, {
      peerHost: settings.passive.foreignAddresses ? undefined : session.remote.host,
      isPrompt: context.isPrompt,
      timeoutMs: settings.timeouts.passive * 1000,
      onForeignPeer: (peer) => context.reportForeignPeer(peer),
    });
    return { port: announcedPort(port, settings.passive) };
  } catch (error) {
    if (error instanceof PortsExhaustedError) return reply(425, "No passive port is free. Try again later.");
    throw error;
  }
}

/** The port that a router or a balancer leads to a port of ours. */
function announcedPort(port: number, { ports, announced }: Settings["passive"]): number {
  return ports === undefined || announced === undefined ? port : announced.from + port - ports.from;
}

/** PORT. */
export async function activePort(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const target = parseHostPort(request.argument);
  if (target === undefined) return reply(501, "Invalid PORT format.");
  return await dial(context, "PORT", target);
}

/** EPRT. */
export async function extendedActivePort(context: CommandContext, request: CommandRequest): Promise<Reply> {
  const target = parseExtendedHostPort(request.argument);
  if (target === undefined) return reply(501, "Invalid EPRT format.");
  const family = ipFamily(context.session.remote.host) === 6 ? "2" : "1";
  if (target.family === "1" || target.family === "2") {
    if (target.family !== family) return wrongFamily(family);
    if (family === "1" && ipFamily(target.host) !== 4) return reply(501, "Invalid EPRT format.");
    return await dial(context, "EPRT", target);
  }
  return UNKNOWN_PROTOCOL;
}

/** Connects before it answers, so that 200 is the truth. */
async function dial(context: CommandContext, verb: string, target: SocketAddress): Promise<Reply> {
  const { session, settings } = context;
  // lftp names what it listens on, which over IPv6 is the unspecified address.
  const remote = sameHost(target.host, "::") ? { host: session.remote.host, port: target.port } : target;
  if (!settings.active.enabled) return reply(502, "Active mode is off, use PASV or EPSV.");
  if (!settings.active.foreignAddresses && !sameHost(remote.host, session.remote.host)) {
    return reply(501, `Rejected data connection to foreign address ${formatSocketAddress(remote)}.`);
  }
  if (ipFamily(remote.host) !== ipFamily(session.remote.host)) return reply(501, `Invalid ${verb} format.`);
  if (!settings.active.privilegedPorts && remote.port < FIRST_UNPRIVILEGED_PORT) {
    return reply(501, `${verb} against the privileged port "${remote.port}" refused.`);
  }
  if (isLinkLocal(remote.host)) return reply(425, "Can't connect to a link-local address, use EPSV.");
  try {
    await context.dataPort.openActive(context.dataTransport, {
      remote,
      // Not from the balancer's address, which is not ours.
      localHost: (session.route ?? session).local.host,
      timeoutMs: settings.timeouts.active * 1000,
    });
  } catch (error) {
    if (error instanceof ConnectionError) return reply(425, "Can't connect to specified address.");
    throw error;
  }
  return reply(200, "Active data connection established.");
}

function wrongFamily(family: string): Reply {
  return reply(522, `Network protocol not supported, use (${family}).`);
}
