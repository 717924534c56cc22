/**
 * What went wrong, in plain words, and where `docs/troubleshooting.md` goes on.
 *
 * @module
 */

/** By event and code: the first that fits. */
const EXPLANATIONS = [
  {
    event: "banned",
    why: "This address has failed to log in too often. It is refused until the ban ends or is lifted.",
    section: "it-greets-with-421-and-closes",
  },
  {
    event: "loginFailed",
    why: "The name or the password is wrong, or the account is disabled or may not come from there.",
    section: "521-to-534-protection-and-login",
  },
  {
    event: "connectionRefused",
    why: "The client was sent away before it could log in: a ban, or a limit on connections.",
    section: "it-greets-with-421-and-closes",
  },
  {
    event: "internalError",
    why: "Something failed that should not: the log has the whole of it.",
    section: "what-to-send-with-a-report",
  },
  {
    event: "transferIncomplete",
    text: /close_notify/,
    why: "The client closed the connection without TLS's last word, so nobody knows whether the file is whole.",
    section: "an-upload-arrives-and-the-client-gets-426",
  },
  {
    event: "transferIncomplete",
    text: /quota|no space/i,
    why: "There was no room for the rest: the disk or the quota is full.",
    section: "450-to-452-not-now",
  },
  {
    event: "transferIncomplete",
    text: /timed out/i,
    why: "Nothing moved for too long: the client hangs, or its line is cut.",
    section: "421-the-session-ends",
  },
  {
    event: "transferIncomplete",
    why: "The transfer was cut before its end. The client may resume it.",
    section: "425-426-the-data-connection",
  },
  {
    event: "commandRefused",
    codes: [421],
    why: "The server ended the session: a limit, or silence for too long.",
    section: "421-the-session-ends",
  },
  {
    event: "commandRefused",
    codes: [425, 426],
    text: /passive/i,
    why: "The client never reached the passive port: a firewall, or an address behind NAT that is not announced.",
    section: "login-works-and-the-first-listing-hangs-behind-150-or-behind-epsv",
  },
  {
    event: "commandRefused",
    codes: [425, 426],
    why: "The data connection did not come about, or was cut.",
    section: "425-426-the-data-connection",
  },
  {
    event: "commandRefused",
    codes: [450, 451, 452],
    why: "It cannot be done now: somebody else writes the file, the store is away, or the disk is full.",
    section: "450-to-452-not-now",
  },
  {
    event: "commandRefused",
    codes: [500, 501, 502, 503, 504],
    why: "The client asked for something that the server does not know or does not do. Most clients go on.",
    section: "500-to-504-the-command",
  },
  {
    event: "commandRefused",
    codes: [521, 522],
    why: "The data connection is not protected as this server wants it.",
    section: "521-to-534-protection-and-login",
  },
  {
    event: "commandRefused",
    codes: [530, 534],
    why: "The client has not logged in, or not with the right name and password, or wants no TLS.",
    section: "521-to-534-protection-and-login",
  },
  {
    event: "commandRefused",
    codes: [550],
    text: /privileges|permission/i,
    why: "The account, or the server itself, has no right to do this there.",
    section: "550-to-554-the-file",
  },
  {
    event: "commandRefused",
    codes: [550],
    text: /no such|not retrievable/i,
    why: "There is no such file. Many clients ask only to see whether there is one.",
    section: "550-to-554-the-file",
  },
  {
    event: "commandRefused",
    codes: [552],
    why: "The account's quota is full.",
    section: "550-to-554-the-file",
  },
  {
    event: "commandRefused",
    codes: [550, 553, 554],
    why: "This cannot be done with this file.",
    section: "550-to-554-the-file",
  },
];

/** Names of events, for people. */
const NAMES = {
  banned: "Banned",
  commandRefused: "Refused",
  connectionRefused: "Connection refused",
  internalError: "Internal error",
  loginFailed: "Login failed",
  transferIncomplete: "Cut transfer",
};

/**
 * Says what an incident is, why it happens, and which section of `docs/troubleshooting.md` tells more.
 *
 * @param {{ event: string, text: string, code?: number }} incident
 */
export function explain({ event, text, code }) {
  const found = EXPLANATIONS.find((row) =>
    row.event === event && (row.codes === undefined || row.codes.includes(code ?? 0)) &&
    (row.text === undefined || row.text.test(text))
  );
  return {
    name: NAMES[/** @type {keyof typeof NAMES} */ (event)] ?? event,
    why: found?.why ?? "The reply says why.",
    section: found?.section ?? "by-reply",
  };
}
