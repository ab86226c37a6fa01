/**
 * Runs a guide's mini-program on the stand-in for WeChat, against a real server:
 * `node mini_guide.mjs < {"server", "key", "sdk", "files": {tracker, app, page}}`.
 * Prints what happened before and after consent as JSON.
 */
import { readFileSync } from "node:fs";
import { FakeWeChat } from "./wx.mjs";

const { server, key, sdk, files } = JSON.parse(readFileSync(0, "utf8"));

const world = new FakeWeChat(async ({ url, method, data, header }) => {
  if (url === "https://www.example.com/session") {
    return { status: 200, body: '{"openid": "oGUIDE0001", "unionid": "uGUIDE0001"}' };
  }
  const answer = await fetch(url, { method, body: data, headers: header });
  return {
    status: answer.status,
    body: await answer.text(),
    headers: Object.fromEntries(answer.headers),
  };
});

const modules = new Map();
function run(text, require) {
  const module = { exports: {} };
  const names = ["module", "exports", "require", "wx", "App", "Page"];
  const values = [module, module.exports, require, world.wx, world.App, world.Page];
  new Function(...names, text)(...values);
  return module.exports;
}
const require = (path) => modules.get(path.replace(/^.*\//, ""));

modules.set("carloop.js", run(readFileSync(sdk, "utf8"), require));
const own = files.tracker.replace("https://cdp.example.com", server).replace("WRITE_KEY", key);
modules.set("tracker.js", run(own, require));
run(files.app, require);
run(files.page, require);

const tracker = modules.get("tracker.js");
const toCarloop = () => world.requests.filter(({ url }) => url.startsWith(server)).length;
const settled = () => new Promise((resolve) => setImmediate(resolve));

const scene = encodeURIComponent("utm_source=dealer&utm_campaign=D001");
world.open({ path: "pages/car/car", scene: 1047, query: { scene } });
const page = world.navigate(0, "pages/car/car");
while (tracker.pending() < 3) await settled();
await tracker.flush();
const before = { requests: toCarloop(), stored: world.storage.size };

page.agree();
page.book({
  type: "tap",
  currentTarget: { dataset: { carloopClick: "book_test_drive", carloopPropSeries: "C5" } },
  detail: { x: 1, y: 2 },
});
page.onShareAppMessage();
world.hide();
await tracker.flush();
while (tracker.pending() > 0) await new Promise((resolve) => setTimeout(resolve, 50));
console.log(JSON.stringify({ before, after: { requests: toCarloop() } }));
process.exit(0);
