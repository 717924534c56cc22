/**
 * The page about the named risks.
 *
 * @module
 */

import { RISK_IDS, RISKS } from "../../lib/settings/risks.ts";

const INTRODUCTION = `# Risks

<!-- Made of lib/settings/risks.ts by \`deno task docs\`. -->

Every setting that makes a server less safe than it is by default has an id. A server with such a setting starts only when
its risk is accepted by that id, and says at each start that it was:

\`\`\`yaml
acceptRisks:
  - risk: clear-text-data
    reason: The scanner on floor 2 cannot protect data connections; it is on a network of its own.
    until: 2027-01-31
\`\`\`

\`--accept-risk ID\` does the same on the command line, and \`ftpsd check --explain ID\` shows what follows. From the day after
\`until\` the server does not start any more. To accept a risk that no setting has changes nothing.`;

/** Writes the page, in Markdown that is not formatted yet. */
export function makeRisksPage(): string {
  const sections = RISK_IDS.map((id) => {
    const { title, danger, instead } = RISKS[id];
    return [`## \`${id}\``, `**${title[0]?.toUpperCase()}${title.slice(1)}.** ${danger}`, `Instead: ${instead}`].join(
      "\n\n",
    );
  });
  return [INTRODUCTION, ...sections].join("\n\n");
}
