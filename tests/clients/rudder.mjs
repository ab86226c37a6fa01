// usage: node rudder.mjs HOST KEY — through the real client, gzip as it does by default
import RudderAnalytics from "@rudderstack/rudder-sdk-node";

const [host, writeKey] = process.argv.slice(2);
const client = new (RudderAnalytics.default ?? RudderAnalytics)(writeKey, { dataPlaneUrl: host, flushAt: 20, flushInterval: 100 });
client.identify({ userId: "rud-node-1", traits: { email: "rudder@example.com" } });
client.track({ userId: "rud-node-1", event: "test_drive_booked", properties: { series: "C5" } });
client.screen({ userId: "rud-node-1", name: "Cars" });
client.flush(() => process.exit(0));
