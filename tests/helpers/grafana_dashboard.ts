/**
 * The dashboard for Grafana.
 *
 * @module
 */

/** A picture: its title, its unit, and its lines, each with a legend. */
interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly (readonly [expression: string, legend: string])[];
  /** `stat` shows the last value alone. @default {timeseries} */
  readonly type?: "stat" | "timeseries";
  /** Of 24 columns. @default {8} */
  readonly width?: number;
}

/** What is selected above the panels. */
const OF = 'instance=~"$instance"';

function rate(metric: string, labels = "", by = "instance"): string {
  return `sum by (${by}) (rate(ftpsd_${metric}{${OF}${labels}}[$__rate_interval]))`;
}

function quantile(share: number, metric: string, by: string): string {
  return `histogram_quantile(${share}, sum by (le, ${by}) (rate(ftpsd_${metric}_bucket{${OF}}[$__rate_interval])))`;
}

const ROWS: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  ["Now", [
    { title: "Ready", unit: "none", type: "stat", width: 4, lines: [[`ftpsd_ready{${OF}}`, "{{instance}}"]] },
    { title: "Sessions", unit: "none", type: "stat", width: 4, lines: [[`ftpsd_sessions{${OF}}`, "{{instance}}"]] },
    {
      title: "Transfers",
      unit: "none",
      type: "stat",
      width: 4,
      lines: [[`sum by (direction) (ftpsd_transfers_running{${OF}})`, "{{direction}}"]],
    },
    {
      title: "Certificate expires in",
      unit: "s",
      type: "stat",
      width: 4,
      lines: [[`ftpsd_certificate_not_after_seconds{${OF}} - time()`, "{{instance}}"]],
    },
    {
      title: "Up since",
      unit: "s",
      type: "stat",
      width: 4,
      lines: [[`time() - ftpsd_start_time_seconds{${OF}}`, "{{instance}}"]],
    },
    {
      title: "Internal errors, 1 h",
      unit: "none",
      type: "stat",
      width: 4,
      lines: [[`increase(ftpsd_internal_errors_total{${OF}}[1h])`, "{{instance}}"]],
    },
  ]],
  ["Files", [
    { title: "Throughput", unit: "Bps", lines: [[rate("transferred_bytes_total", "", "direction"), "{{direction}}"]] },
    {
      title: "Transfers that ended",
      unit: "ops",
      lines: [[rate("transfers_total", "", "direction, result"), "{{direction}} {{result}}"]],
    },
    {
      title: "Time of a transfer",
      unit: "s",
      lines: [
        [quantile(0.5, "transfer_seconds", "direction"), "{{direction}} half"],
        [quantile(0.95, "transfer_seconds", "direction"), "{{direction}} 95 %"],
      ],
    },
    {
      title: "Transfers that began, and run",
      unit: "none",
      lines: [
        [rate("transfers_started_total", "", "direction"), "{{direction}} began a second"],
        [`sum by (direction) (ftpsd_transfers_running{${OF}})`, "{{direction}} run"],
      ],
    },
  ]],
  ["Clients", [
    {
      title: "Connections",
      unit: "ops",
      lines: [
        [rate("connections_total"), "{{instance}} began"],
        [rate("connections_ended_total"), "{{instance}} ended"],
        [rate("connections_refused_total"), "{{instance}} refused"],
      ],
    },
    { title: "Sessions", unit: "none", lines: [[`ftpsd_sessions{${OF}}`, "{{instance}}"]] },
    {
      title: "Logins and bans",
      unit: "ops",
      lines: [[rate("logins_total", "", "result"), "{{result}}"], [rate("bans_total"), "{{instance}} banned"]],
    },
    {
      title: "TLS handshakes",
      unit: "ops",
      lines: [[rate("tls_handshakes_total", "", "protocol, resumed"), "{{protocol}} resumed {{resumed}}"]],
    },
    { title: "Negative replies", unit: "ops", lines: [[rate("commands_refused_total", "", "code"), "{{code}}"]] },
    {
      title: "Commands: 95 % within",
      unit: "s",
      lines: [[quantile(0.95, "command_seconds", "command"), "{{command}}"]],
    },
  ]],
  ["What is behind", [
    {
      title: "State: 95 % within",
      unit: "s",
      lines: [[quantile(0.95, "state_call_seconds", "call"), "{{call}}"]],
    },
    {
      title: "Store: 95 % within",
      unit: "s",
      lines: [[quantile(0.95, "store_request_seconds", "method"), "{{method}}"]],
    },
    {
      title: "Failures",
      unit: "ops",
      lines: [
        [rate("state_failures_total"), "{{instance}} state"],
        [rate("store_failures_total"), "{{instance}} store"],
        [rate("log_lines_dropped_total"), "{{instance}} lines of log lost"],
      ],
    },
    { title: "Hooks", unit: "ops", lines: [[rate("hook_events_total", "", "hook, result"), "{{hook}} {{result}}"]] },
    {
      title: "Events that wait for hooks",
      unit: "none",
      lines: [[`ftpsd_hook_events_waiting{${OF}}`, "{{instance}}"]],
    },
    {
      title: "Next order of the certificate in",
      unit: "s",
      lines: [[`ftpsd_certificate_next_attempt_seconds{${OF}} - time()`, "{{instance}}"]],
    },
    {
      title: "Orders of certificates",
      unit: "none",
      lines: [
        [`ftpsd_certificate_failures{${OF}}`, "{{instance}} failed since the last success"],
        [`increase(ftpsd_certificate_orders_total{${OF}}[1h])`, "{{instance}} {{result}}, 1 h"],
      ],
    },
    {
      title: "Memory",
      unit: "bytes",
      lines: [
        [`ftpsd_memory_resident_bytes{${OF}}`, "{{instance}} process"],
        [`ftpsd_memory_heap_bytes{${OF}}`, "{{instance}} heap"],
      ],
    },
    { title: "Event loops", unit: "none", lines: [[`ftpsd_event_loops{${OF}}`, "{{instance}}"]] },
  ]],
];

const COLUMNS = 24;
const PANEL_HEIGHT = 8;
const STAT_HEIGHT = 4;
const DATA_SOURCE = { type: "prometheus", uid: "${DS_PROMETHEUS}" };

/** Makes the text of the file that Grafana imports. */
export function makeGrafanaDashboard(): string {
  return JSON.stringify({
    __inputs: [{
      name: "DS_PROMETHEUS",
      label: "Prometheus",
      description: "",
      type: "datasource",
      pluginId: "prometheus",
      pluginName: "Prometheus",
    }],
    __requires: [
      { type: "grafana", id: "grafana", name: "Grafana", version: "10.0.0" },
      { type: "datasource", id: "prometheus", name: "Prometheus", version: "1.0.0" },
      { type: "panel", id: "timeseries", name: "Time series", version: "" },
      { type: "panel", id: "stat", name: "Stat", version: "" },
    ],
    id: null,
    uid: "ftpsd",
    title: "ftpsd",
    tags: ["ftpsd"],
    editable: true,
    graphTooltip: 1,
    schemaVersion: 38,
    version: 1,
    refresh: "30s",
    time: { from: "now-6h", to: "now" },
    timezone: "",
    annotations: { list: [] },
    links: [],
    templating: {
      list: [{
        name: "instance",
        label: "Server",
        type: "query",
        datasource: DATA_SOURCE,
        definition: "label_values(ftpsd_sessions, instance)",
        query: { query: "label_values(ftpsd_sessions, instance)", refId: "instance" },
        includeAll: true,
        multi: true,
        refresh: 2,
        sort: 1,
        current: {},
        options: [],
      }],
    },
    panels: layOut(),
  });
}

function layOut(): unknown[] {
  const panels: unknown[] = [];
  let top = 0;
  for (const [title, row] of ROWS) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title,
      collapsed: false,
      panels: [],
      gridPos: at(0, top++, 24, 1),
    });
    let left = 0;
    let height = 0;
    for (const panel of row) {
      const { width = 8, type = "timeseries" } = panel;
      if (left + width > COLUMNS) {
        top += height;
        left = 0;
      }
      height = type === "stat" ? STAT_HEIGHT : PANEL_HEIGHT;
      panels.push(describe(panel, panels.length + 1, at(left, top, width, height)));
      left += width;
    }
    top += height;
  }
  return panels;
}

function at(x: number, y: number, w: number, h: number) {
  return { x, y, w, h };
}

function describe({ title, unit, lines, type = "timeseries" }: Panel, id: number, gridPos: unknown) {
  return {
    id,
    type,
    title,
    datasource: DATA_SOURCE,
    gridPos,
    targets: lines.map(([expr, legendFormat], index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource: DATA_SOURCE,
      editorMode: "code",
      expr,
      legendFormat,
      range: true,
    })),
    fieldConfig: { defaults: { unit, ...type === "timeseries" && { min: 0 } }, overrides: [] },
    options: type === "stat"
      ? { reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false }, colorMode: "value", textMode: "auto" }
      : { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi" } },
  };
}
