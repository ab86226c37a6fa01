/** Ready-to-run snippets for one write key; `origin` is this server. */
export type Snippet = { key: string; label: string; text: string };

export function snippets(origin: string, writeKey: string): Snippet[] {
  return [
    {
      key: "curl",
      label: "curl",
      text: [
        `curl -X POST ${origin}/api/events \\`,
        `  -H 'Authorization: Bearer ${writeKey}' \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  -d '{"events":[{"event":"lead_submitted",`,
        `       "identifiers":[{"type":"mobile","value":"13966280700"}],`,
        `       "properties":{"channel":"website"}}]}'`,
      ].join("\n"),
    },
    {
      key: "python",
      label: "Python",
      text: [
        "import httpx",
        "",
        `httpx.post("${origin}/api/events",`,
        `    headers={"Authorization": "Bearer ${writeKey}"},`,
        `    json={"events": [{"event": "lead_submitted",`,
        `        "identifiers": [{"type": "mobile", "value": "13966280700"}],`,
        `        "properties": {"channel": "website"}}]}).raise_for_status()`,
      ].join("\n"),
    },
    {
      key: "segment",
      label: "Segment",
      text: [
        "// npm install @segment/analytics-node",
        `import { Analytics } from "@segment/analytics-node";`,
        `const analytics = new Analytics({ writeKey: "${writeKey}", host: "${origin}" });`,
        `analytics.identify({ userId: "u-1001", traits: { phone: "13966280700" } });`,
        `analytics.track({ userId: "u-1001", event: "lead_submitted", properties: { channel: "website" } });`,
        "await analytics.closeAndFlush();",
      ].join("\n"),
    },
    {
      key: "sensors",
      label: "神策 / Sensors",
      text: [
        "// npm install sa-sdk-javascript",
        `import sensors from "sa-sdk-javascript";`,
        `sensors.init({ server_url: "${origin}/sa?project=default&token=${writeKey}", send_type: "ajax" });`,
        `sensors.login("u-1001");`,
        `sensors.track("lead_submitted", { channel: "website" });`,
      ].join("\n"),
    },
  ];
}
