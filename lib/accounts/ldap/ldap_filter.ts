/**
 * Filters of a configuration, as the client of LDAP reads them.
 *
 * @module
 */

import { FilterParser } from "ldapts";
import { describeThrown } from "../../thrown.ts";
import { fillFilter } from "./ldap_escaping.ts";

/** Returns what is wrong with a filter with places for names; `undefined` when nothing is. */
export function findProblemOfFilter(template: string): string | undefined {
  const filter = fillFilter(template, { name: "name", dn: "cn=name" });
  // The client makes something of those that are not closed.
  if (filter.split("(").length !== filter.split(")").length) {
    return "is no filter of LDAP: not all parentheses are closed";
  }
  try {
    void FilterParser.parseString(filter);
    return undefined;
  } catch (error) {
    return `is no filter of LDAP: ${error instanceof Error ? error.message : describeThrown(error)}`;
  }
}
