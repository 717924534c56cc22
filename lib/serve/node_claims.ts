/**
 * Who writes which file, and how much is stored, as an event loop asks for it.
 *
 * @module
 */

import type { FileClaims } from "../filesystem/file_claims.ts";
import { isTermHeld, type TermCell } from "../state/postgres/node_term.ts";
import { AllowedQuotaCounts, type QuotaAllowances } from "../state/quota_allowances.ts";
import type { QuotaCounts } from "../state/quotas.ts";
import { SharedFileClaims } from "../state/shared_file_claims.ts";
import type { SharedTable } from "../state/shared_table.ts";
import { NodeFileClaims, type TermClaims } from "../state/term_claims.ts";

/**
 * Makes the claims of an event loop.
 *
 * @param table What the event loops of this process have claimed.
 * @param all Claims of all nodes, with what this process has of its lease; absent: this server is alone.
 */
export function createFileClaims(table: SharedTable, all?: TermClaims, term?: TermCell): FileClaims {
  const own = new SharedFileClaims(table);
  if (all === undefined || term === undefined) return own;
  return new NodeFileClaims(own, all, (number) => isTermHeld(term, number));
}

/**
 * Makes the counts of an event loop for quotas of all nodes.
 *
 * @param term What this process has of its lease.
 */
export function createNodeQuotas(all: QuotaAllowances, term: TermCell): QuotaCounts {
  return new AllowedQuotaCounts(all, (number) => isTermHeld(term, number));
}
