/**
 * From settings to sources that check passwords themselves.
 *
 * @module
 */

import type { HookAccounts } from "../accounts/hook_accounts.ts";
import type { LdapAccounts } from "../accounts/ldap/ldap_accounts.ts";
import type { LdapAddress } from "../accounts/ldap/ldap_connection.ts";
import { homeTemplateOf, urlsOf } from "../settings/account_sources.ts";
import type { AccountSourceSettings } from "../settings/table.ts";

/** Opens a hook; nothing is asked yet. */
export async function openHook(
  { url = "", tokenFile = "", timeout }: AccountSourceSettings,
  { ca, node }: { readonly ca: string | undefined; readonly node: string | undefined },
): Promise<HookAccounts> {
  const { HookAccounts } = await import("../accounts/hook_accounts.ts");
  return new HookAccounts({ url, tokenFile, timeout, ca, node });
}

/** Opens a directory; nothing is asked yet. */
export async function openDirectory(
  settings: AccountSourceSettings,
  { ca }: { readonly ca: string | undefined },
): Promise<LdapAccounts> {
  const { LdapAccounts } = await import("../accounts/ldap/ldap_accounts.ts"); // with the client of LDAP
  const addresses = urlsOf(settings).map((url) => toAddress(url, { startTls: settings.startTls === true, ca }));
  return new LdapAccounts({ ...settings, home: homeTemplateOf(settings), addresses });
}

function toAddress(
  url: string,
  { startTls, ca }: { readonly startTls: boolean; readonly ca: string | undefined },
): LdapAddress {
  const isSecure = url.startsWith("ldaps:");
  const { hostname, port } = new URL(url.replace(/^\w+:/, "x:"));
  return {
    host: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? isSecure ? 636 : 389 : Number(port),
    tls: isSecure ? "implicit" : startTls ? "starttls" : "none",
    ca,
  };
}
