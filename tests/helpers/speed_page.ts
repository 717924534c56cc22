/**
 * What `docs/speed.json` holds, as tables and as a picture.
 *
 * @module
 */

import speed from "../../docs/speed.json" with { type: "json" };

const OURS = "ftpsd";
const [BEGIN, END] = ["<!-- speed: begin, made of docs/speed.json -->", "<!-- speed: end -->"];

/** A row of the benchmark: medians by server. */
interface SpeedRow {
  readonly workload: string;
  readonly what: string;
  readonly unit: string;
  /** Whether more is better, or less. */
  readonly better: string;
  readonly values: Readonly<Record<string, number | null>>;
}

const ROWS: readonly SpeedRow[] = speed.rows;

/** Rows that a newcomer wants to know, by workload. */
const CHOSEN: readonly string[] = speed.chosen;

/** Puts the table in the place that a document has for it. */
export async function withSpeedTable(url: URL): Promise<string> {
  const text = await Deno.readTextFile(url);
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${url} has no place for the table`);
  return [before, BEGIN, "\n\n", table(ROWS), "\n", END, after].join("");
}

function table(rows: readonly SpeedRow[]): string {
  const { servers } = speed;
  const head = ["", "unit", ...servers, "ftpsd to the best other"];
  return [
    `| ${head.join(" | ")} |`,
    `| --- | --- |${servers.map(() => " --: |").join("")} --: |`,
    ...rows.map((row) => {
      const best = bestOf(row, servers);
      const cells = servers.map((server) => {
        const value = row.values[server];
        return value === null || value === undefined ? "–" : server === best ? `**${shown(value)}**` : shown(value);
      });
      return `| ${row.what} | ${row.unit} ${arrowOf(row)} | ${cells.join(" | ")} | ${ratioToBestOther(row)} |`;
    }),
    "",
  ].join("\n");
}

function arrowOf({ better }: SpeedRow): string {
  return better === "more" ? "↑" : "↓";
}

function bestOf({ values, better }: SpeedRow, servers: readonly string[]): string | undefined {
  const known = servers.filter((server) => typeof values[server] === "number");
  const sign = better === "more" ? -1 : 1;
  return known.sort((one, other) => sign * ((values[one] ?? 0) - (values[other] ?? 0)))[0];
}

/** Above 1 we are ahead, also where less is better. */
function ratioToBestOther(row: SpeedRow): string {
  const best = bestOf(row, speed.servers.filter((server) => server !== OURS));
  const [ours, theirs] = [row.values[OURS], best && row.values[best]];
  if (!ours || !theirs) return "–";
  return `${(row.better === "more" ? ours / theirs : theirs / ours).toFixed(2)} ×`;
}

function shown(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: value >= 1000 ? 4 : 3 });
}

const BAR_HEIGHT = 14;
const GROUP_GAP = 22;
const LABEL_WIDTH = 300;
const BARS_WIDTH = 420;
const VALUE_WIDTH = 170;
const COLORS = ["#1f6feb", "#8b949e", "#a5adb7", "#bfc5cc", "#d4d8dd", "#e3e6e9"];

/** Draws the chosen rows as bars: the best of a row is the longest where more is better, the shortest where less is. */
export function drawSpeed(): string {
  const rows = CHOSEN.flatMap((name) => ROWS.filter(({ workload }) => workload === name));
  const { servers } = speed;
  const groupHeight = servers.length * BAR_HEIGHT + GROUP_GAP;
  const [width, top] = [LABEL_WIDTH + BARS_WIDTH + VALUE_WIDTH, 40];
  const height = top + rows.length * groupHeight;
  const font = `font-family="system-ui, sans-serif"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    "<title>ftpsd beside other servers</title>",
    `<rect width="100%" height="100%" rx="8" fill="#ffffff"/>`,
    `<text x="16" y="24" ${font} font-size="14" fill="#57606a">${speed.machine}, ${speed.when}</text>`,
    ...rows.flatMap((row, index) => drawGroup(row, top + index * groupHeight, font)),
    "</svg>",
    "",
  ].join("\n");
}

function drawGroup(row: SpeedRow, top: number, font: string): string[] {
  const values = speed.servers.map((server) => row.values[server] ?? 0);
  const largest = Math.max(...values);
  const middle = top + speed.servers.length * BAR_HEIGHT / 2;
  return [
    `<text x="16" y="${middle}" ${font} font-size="14" font-weight="600" fill="#1f2328">${row.what}</text>`,
    `<text x="16" y="${middle + 16}" ${font} font-size="12" fill="#57606a">${row.unit}, ${row.better} is better</text>`,
    ...speed.servers.flatMap((server, index) => {
      const value = values[index] ?? 0;
      const [y, length] = [top + index * BAR_HEIGHT, Math.max(1, BARS_WIDTH * value / largest)];
      const [color, weight] = server === OURS ? ["#1f2328", 600] : ["#57606a", 400];
      const text = value === 0 ? `${server}: –` : `${server}: ${shown(value)}`;
      return [
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${length.toFixed(1)}" height="${BAR_HEIGHT - 2}" fill="${
          COLORS[index]
        }"/>`,
        `<text x="${(LABEL_WIDTH + length + 6).toFixed(1)}" y="${
          y + 10
        }" ${font} font-size="11" font-weight="${weight}"` +
        ` fill="${color}">${text}</text>`,
      ];
    }),
  ];
}
