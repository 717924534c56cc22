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
  try {
    void FilterParser.parseString(fillFilter(template, { name: "name", dn: "cn=name" }));
    return undefined;
  } catch (error) {
    return `is no filter of LDAP: ${error instanceof Error ? error.message : describeThrown(error)}`;
  }
}
