/**
 * What is risky about a folder of the host as a home. A configuration is judged by it, and so is the library.
 *
 * @module
 */

import { type HomeFacts, readHomeFacts } from "../filesystem/local/home_facts.ts";
import type { RiskId } from "../settings/risks.ts";
import { insecure } from "../settings/setting_risks.ts";

/** A risk of a home. */
export interface HomeRisk {
  readonly risk: RiskId;
  /** What is risky, and what to do. */
  readonly message: string;
}

const WRITABLE_BY_OTHERS = 0o002;

/** Finds the risks of a home. */
export function findHomeRisks({ home, realPath, mode, movableIn, looksLikeRoot }: HomeFacts): HomeRisk[] {
  const risks: HomeRisk[] = [];
  if (isRoot(realPath) || looksLikeRoot) {
    const message = `${home} is the root of the file system; give a folder made for the purpose`;
    risks.push({ risk: "root-directory-home", message });
  }
  if (mode !== undefined && (mode & WRITABLE_BY_OTHERS) !== 0) {
    risks.push({ risk: "home-writable-by-others", message: `others on this host may write in ${home}; chmod o-w it` });
  } else if (movableIn !== undefined) {
    const message = `others on this host may put another folder in the place of ${home}; chmod o-w ${movableIn}`;
    risks.push({ risk: "home-writable-by-others", message });
  }
  return risks;
}

function isRoot(path: string): boolean {
  return path === "/" || /^[A-Za-z]:\\?$/.test(path);
}

/** Looks at a home and finds its risks; none where it is not there, or Deno does not permit to look. */
export function inspectHomeRisks(home: string): HomeRisk[] {
  const facts = readHomeFacts(home);
  return facts === undefined ? [] : findHomeRisks(facts);
}

/**
 * Refuses a home with a risk that is not accepted. One that is not there yet, or that Deno does not permit to look at, has
 * none: logins will not find it.
 *
 * @throws {InsecureConfigurationError} Naming the risk.
 */
export function refuseRiskyHome(home: string, accepted: readonly RiskId[]): void {
  const unaccepted = inspectHomeRisks(home).find(({ risk }) => !accepted.includes(risk));
  if (unaccepted !== undefined) throw insecure(unaccepted.risk, `the home ${JSON.stringify(home)}`);
}
