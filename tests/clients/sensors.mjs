// usage: node sensors.mjs URL — through the real client; the URL carries project and token
import SensorsAnalytics from "sa-sdk-node";

const [url] = process.argv.slice(2);
const sa = new SensorsAnalytics();
sa.submitTo({ url, gzip: true, mode: "track", timeout: 10_000 });
sa.track("sa-node-visitor", "test_drive_booked", { series: "C5" });
sa.trackSignup("sa-node-1", "sa-node-visitor", { channel: "web" });
sa.profileSet("sa-node-1", { nickname: "node" });
sa.profileIncrement("sa-node-1", { visits: 1 });
setTimeout(() => process.exit(0), 5000);
