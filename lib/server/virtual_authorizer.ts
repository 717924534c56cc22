/**
 * The authorizer most servers need: users of their own, with folders of the host as homes.
 *
 * @module
 */

import type { PasswordVerifierLimits } from "../accounts/password_verifier.ts";
import { VirtualAccounts } from "../accounts/virtual_accounts.ts";
import { type HomeFacts, readHomeFacts } from "../filesystem/local/home_facts.ts";
import { homeOpener } from "../filesystem/local/probed_filesystem.ts";
import { WriteClaims } from "../filesystem/write_claims.ts";
import type { RiskId } from "../settings/risks.ts";
import { insecure } from "../settings/setting_risks.ts";

/** Options of {@linkcode VirtualAuthorizer}. */
export interface VirtualAuthorizerOptions extends PasswordVerifierLimits {
  /**
   * Ids of the risks of homes that are accepted: `"root-directory-home"`, `"home-writable-by-others"`. A folder that has one
   * which is not accepted is refused when its user is added; so it is looked at then, if it is there.
   *
   * @default {[]}
   */
  readonly acceptRisks?: readonly RiskId[];
}

/**
 * A table of users, each with a password, a home and permissions. Homes are folders of the host, or file systems of the
 * program's own; those that overlap see each other's uploads, so that no file is written by two at once.
 *
 * @example
 * ```ts
 * import { VirtualAuthorizer } from "@ftpsd/ftpsd";
 *
 * const authorizer = new VirtualAuthorizer();
 * authorizer.addUser("alice", "12345", "/srv/ftp/alice", { permissions: "elradfmwMT" });
 * authorizer.overridePermissions("alice", "/archive", "elr", { recursive: true });
 * authorizer.addAnonymous("/srv/ftp/pub");
 * ```
 */
export class VirtualAuthorizer extends VirtualAccounts {
  /**
   * Makes an authorizer without users.
   *
   * @throws {RangeError} When a limit is out of range.
   */
  constructor({ acceptRisks = [], ...limits }: VirtualAuthorizerOptions = {}) {
    const writeClaims = new WriteClaims();
    const openHome = homeOpener(writeClaims);
    const openSafeHome = (home: string) => {
      refuseRiskyHome(home, acceptRisks);
      return openHome(home);
    };
    super({ ...limits, openHome: openSafeHome });
  }
}

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
function refuseRiskyHome(home: string, accepted: readonly RiskId[]): void {
  const unaccepted = inspectHomeRisks(home).find(({ risk }) => !accepted.includes(risk));
  if (unaccepted !== undefined) throw insecure(unaccepted.risk, `the home ${JSON.stringify(home)}`);
}
