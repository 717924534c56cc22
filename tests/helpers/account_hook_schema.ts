/**
 * The JSON Schema of what a server and a hook for accounts say to each other.
 *
 * @module
 */

import { HOOK_VERSION } from "../../lib/accounts/hook_answer.ts";
import { USER } from "../../lib/settings/table.ts";
import { makeSchemaOf } from "./json_schema.ts";

const TEXT = { type: "string" };

/** What the hook is asked, by POST. */
const REQUEST = {
  type: "object",
  description: "What a login is asked for, as the body of a POST.",
  properties: {
    version: { const: HOOK_VERSION, description: "The form of the request." },
    username: { ...TEXT, description: "What the client gave as its name, verbatim: any text but an empty one." },
    password: { ...TEXT, description: "What it gave as its password, never empty." },
    address: { ...TEXT, description: "Numeric address of the client." },
    node: { ...TEXT, description: "`state.node` of the server that asks; absent: there is only one." },
    tls: {
      type: "object",
      description: "How the control connection is protected; absent: it is in clear.",
      properties: {
        protocol: { ...TEXT, description: "`TLSv1.2` or `TLSv1.3`." },
        cipher: { ...TEXT, description: "Name of the cipher suite." },
        certificate: {
          type: "object",
          description: "What the client has shown, which `tls.clientCertificates` has verified; absent: nothing.",
          properties: {
            subject: { ...TEXT, description: "Its subject on one line." },
            fingerprint: { ...TEXT, description: "SHA-256 of it, `AB:CD:…`." },
          },
          required: ["subject", "fingerprint"],
        },
      },
      required: ["protocol", "cipher"],
    },
  },
  required: ["version", "username", "password", "address"],
};

/** Makes the schema: `definitions.request` and `definitions.answer`. */
export function makeAccountHookSchema(): object {
  const { $schema, properties = {}, required = [], ...user } = makeSchemaOf(USER) as {
    readonly $schema?: string;
    readonly properties?: Readonly<Record<string, object>>;
    readonly required?: readonly string[];
  };
  const { password: _, name, ...others } = properties;
  return {
    $schema,
    title: "A hook for accounts of ftpsd",
    definitions: {
      request: REQUEST,
      answer: {
        ...user,
        description: "The body of an answer with status 200: an entry of `users`, without a password.",
        properties: { name: { ...name, description: "Name of the account; absent: `username`." }, ...others },
        required: required.filter((key) => key !== "password" && key !== "name"),
      },
    },
  };
}
