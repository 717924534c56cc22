/**
 * What is risky about a folder of the host as a home. A configuration is judged by it, and so is the library.
 *
 * @module
 */

import { type HomeFacts, readHomeFacts } from "../filesystem/home_facts.ts";
import { insecure, type RiskId } from "./risks.ts";

/** A risk of a home. */
export interface HomeRisk {
  readonly risk: RiskId;
  /** What is risky, and what to do. */
  readonly message: string;
}

const WRITABLE_BY_OTHERS = 0o002;

/** Finds the risks of a home. */
export function findHomeRisks({ home, realPath, mode }: HomeFacts): HomeRisk[] {
  const risks: HomeRisk[] = [];
  if (isRoot(realPath)) {
    const message = `${home} is the root of the file system; give a folder made for the purpose`;
    risks.push({ risk: "root-directory-home", message });
  }
  if (mode !== undefined && (mode & WRITABLE_BY_OTHERS) !== 0) {
    risks.push({ risk: "home-writable-by-others", message: `others on this host may write in ${home}; chmod o-w it` });
  }
  return risks;
}

function isRoot(path: string): boolean {
  return path === "/" || /^[A-Za-z]:\\?$/.test(path);
}

/**
 * Refuses a home with a risk that is not accepted. One that is not there yet, or that Deno does not permit to look at, has
 * none: logins will not find it.
 *
 * @throws {InsecureConfigurationError} Naming the risk.
 */
export function refuseRiskyHome(home: string, accepted: readonly RiskId[]): void {
  const facts = readHomeFacts(home);
  if (facts === undefined) return;
  const unaccepted = findHomeRisks(facts).find(({ risk }) => !accepted.includes(risk));
  if (unaccepted !== undefined) throw insecure({ risk: unaccepted.risk, where: `the home ${JSON.stringify(home)}` });
}
