/**
 * Who a certificate is for and who has made it, read from its own bytes (RFC 5280 §4.1.2, §4.2.1.6).
 *
 * The texts that runtimes make of names can be read in more than one way: a comma or a line break in a name looks like the begin of
 * the next one (CVE-2021-44532). Here two certificates have the same text only if they have the same names: what could be
 * misread is escaped in subjects (RFC 4514 §2.4), and no alternative name at all.
 *
 * @module
 */

import { DER_TAG, derContent, DerError, derIdentifier, derParts, type DerValue, readDer } from "./der.ts";

/** The names and the number of a certificate. */
export interface CertificateIdentity {
  /** Its subject on one line, in its own order, such as `C=DE, CN=alice`. */
  readonly subject: string;
  /** Its alternative names, each with its kind: `dns:`, `email:`, `uri:`, or `upn:` for the user name of Active Directory. */
  readonly alternativeNames: readonly string[];
  /** Its subject in bytes of DER. */
  readonly subjectBytes: Uint8Array;
  /** The name of its issuer in bytes of DER. */
  readonly issuer: Uint8Array;
  /** The number that its issuer has given it, in bytes. */
  readonly serial: Uint8Array;
}

/** Short names of RFC 4514 §3 and of openssl; others are shown as numbers. */
const ATTRIBUTES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.9": "street",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "2.5.4.12": "title",
  "2.5.4.42": "GN",
  "0.9.2342.19200300.100.1.1": "UID",
  "0.9.2342.19200300.100.1.25": "DC",
  "1.2.840.113549.1.9.1": "emailAddress",
};
const ALTERNATIVE_NAMES_ID = "2.5.29.17";
const USER_PRINCIPAL_NAME_ID = "1.3.6.1.4.1.311.20.2.3";
const EXTENSIONS_TAG = 0xa3;
const VERSION_TAG = 0xa0;
/** Kinds of RFC 5280 §4.2.1.6 whose value is a text in ASCII. */
const TEXT_KINDS: Readonly<Record<number, string>> = { 0x81: "email", 0x82: "dns", 0x86: "uri" };
const OTHER_NAME_TAG = 0xa0;
const EXPLICIT_TAG = 0xa0;
/** Printable ASCII without the blank. */
const PLAIN_TEXT = /^[\x21-\x7e]+$/;

/**
 * Reads a certificate.
 *
 * @param der The certificate, which a TLS engine has accepted.
 * @throws {DerError} When its names cannot be read.
 */
export function readIdentity(der: Uint8Array): CertificateIdentity {
  const [body] = derParts(readDer(der));
  const fields = derParts(body).filter(({ tag }) => tag !== VERSION_TAG);
  const [serial, _algorithm, issuer, _validity, subject] = fields;
  if (issuer === undefined || subject === undefined) throw new DerError("Expected an issuer and a subject");
  const extensions = fields.find(({ tag }) => tag === EXTENSIONS_TAG);
  return {
    subject: formatDistinguishedName(subject),
    subjectBytes: subject.bytes,
    alternativeNames: readAlternativeNames(extensions),
    issuer: issuer.bytes,
    serial: derContent(serial, DER_TAG.integer),
  };
}

/**
 * A distinguished name on one line: its parts in their order, several of one level with ` + ` between them.
 *
 * @throws {DerError} When it cannot be read.
 */
export function formatDistinguishedName(name: DerValue): string {
  return derParts(name).map((level) => derParts(level, DER_TAG.set).map(formatAttribute).join(" + ")).join(", ");
}

function formatAttribute(attribute: DerValue): string {
  const [type, value] = derParts(attribute);
  const identifier = derIdentifier(type);
  if (value === undefined) throw new DerError("Expected a value");
  return `${ATTRIBUTES[identifier] ?? identifier}=${formatValue(value)}`;
}

function formatValue(value: DerValue): string {
  const text = decodeText(value);
  return text === undefined ? `#${value.bytes.toHex()}` : escapeNameText(text);
}

/** Texts of the kinds that certificates are to use (RFC 5280 §4.1.2.4); `undefined` for others. */
function decodeText({ tag, content }: DerValue): string | undefined {
  if (tag === DER_TAG.utf8String) return decodeUtf8(content);
  const isAscii = tag === DER_TAG.printableString || tag === DER_TAG.ia5String;
  return isAscii && content.every((byte) => byte < 0x80) ? decodeUtf8(content) : undefined;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined; // not UTF-8
  }
}

/** Escapes what has a meaning in the text of a distinguished name, or none that can be seen (RFC 4514 §2.4). */
export function escapeNameText(text: string): string {
  return text
    .replaceAll(/["+,;<>\\]/g, "\\$&")
    .replaceAll(
      /[\p{C}\p{Zl}\p{Zp}]/gu,
      (character) => new TextEncoder().encode(character).toHex().replaceAll(/../g, "\\$&"),
    )
    .replace(/^[ #]/, "\\$&")
    .replace(/(?<!^\\) $/, "\\ ");
}

/** Alternative names that can be compared as texts; those of other kinds, or with characters that have no place there, are left out. */
function readAlternativeNames(extensions: DerValue | undefined): string[] {
  if (extensions === undefined) return [];
  const [list] = derParts(extensions, EXTENSIONS_TAG);
  const found = derParts(list).map((extension) => derParts(extension)).filter(([id]) =>
    derIdentifier(id) === ALTERNATIVE_NAMES_ID
  );
  // Twice is forbidden (RFC 5280 §4.2): nobody knows what holds then.
  if (found.length > 1) throw new DerError("The certificate has alternative names twice");
  const value = found[0]?.at(-1);
  if (value === undefined) return [];
  return derParts(readDer(derContent(value, DER_TAG.octetString))).flatMap(readAlternativeName);
}

function readAlternativeName(name: DerValue): string[] {
  const kind = TEXT_KINDS[name.tag];
  const text = new TextDecoder("latin1").decode(name.content);
  if (kind !== undefined) return PLAIN_TEXT.test(text) ? [`${kind}:${text}`] : [];
  return name.tag === OTHER_NAME_TAG ? readOtherName(name) : [];
}

function readOtherName(name: DerValue): string[] {
  const [type, explicit] = derParts(name, OTHER_NAME_TAG);
  if (derIdentifier(type) !== USER_PRINCIPAL_NAME_ID) return [];
  const [value] = derParts(explicit, EXPLICIT_TAG);
  const text = value?.tag === DER_TAG.utf8String ? decodeUtf8(value.content) : undefined;
  return text !== undefined && /^[^\p{C}\p{Z}]+$/u.test(text) ? [`upn:${text}`] : [];
}
