// usage: node sensors.mjs URL — through the real client; the URL carries project and token
import { setTimeout as pause } from "node:timers/promises";
import SensorsAnalytics from "sa-sdk-node";

const [url] = process.argv.slice(2);
const sa = new SensorsAnalytics();
sa.submitTo({ url, gzip: true, mode: "track", timeout: 10_000 });
// One after another: the client does not tell when a request is through, nor try one again.
sa.track("sa-node-visitor", "test_drive_booked", { series: "C5" });
await pause(500);
sa.trackSignup("sa-node-1", "sa-node-visitor", { channel: "web" });
await pause(500);
sa.profileSet("sa-node-1", { nickname: "node" });
await pause(500);
sa.profileIncrement("sa-node-1", { visits: 1 });
await pause(4000);
process.exit(0);
