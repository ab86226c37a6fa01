// usage: node segment.mjs HOST KEY — one track, identify, page, group through the real client
import { Analytics } from "@segment/analytics-node";

const [host, writeKey] = process.argv.slice(2);
const client = new Analytics({ writeKey, host, flushAt: 15, flushInterval: 100 });
client.identify({ userId: "seg-node-1", traits: { email: "node@example.com", plan: "pro" } });
client.track({ userId: "seg-node-1", anonymousId: "seg-node-a", event: "test_drive_booked", properties: { series: "C5" } });
client.page({ userId: "seg-node-1", name: "Home", properties: { url: "https://example.com/" } });
client.group({ userId: "seg-node-1", groupId: "g1", traits: { industry: "taxi" } });
await client.closeAndFlush();
