// @jitsu/js: identify, track, page.
import { jitsuAnalytics } from "@jitsu/js";

const [host, writeKey] = process.argv.slice(2);
const jitsu = jitsuAnalytics({ host, writeKey, fetch: globalThis.fetch });
await jitsu.identify("jitsu-1", { email: "jitsu@example.com" });
await jitsu.track("test_drive_booked", { series: "C5" });
await jitsu.page({ name: "Home" });
