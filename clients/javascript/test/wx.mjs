/**
 * A stand-in for WeChat's `wx`, `App` and `Page`, after the documented behaviour: storage answers
 * with an empty text for what is absent, takes at most 1 MiB a key and 10 MiB in all; requests
 * answer through callbacks, with header names as the server wrote them; hooks are called with the
 * page instance as `this`, whose `route` is its path.
 */
export class FakeWeChat {
  storage = new Map();
  connected = true;
  requests = [];
  listeners = [];
  apps = [];
  pages = [];
  launch = undefined;

  /** @param {(options: object) => Promise<{status: number, body: string, headers?: object}>} serve */
  constructor(serve) {
    this.serve = serve;
    const world = this;
    this.wx = {
      request(options) {
        world.requests.push(options);
        const url = new URL(options.url);
        if (!/^https?:$/.test(url.protocol)) throw new TypeError("request:fail invalid url");
        const failed = { errMsg: "request:fail " };
        if (!world.connected) return void queueMicrotask(() => options.fail(failed));
        world.serve(options).then(
          ({ status, body, headers }) => {
            let data = body;
            if (options.dataType === undefined || options.dataType === "json") {
              try {
                data = JSON.parse(body);
              } catch {
                data = body;
              }
            }
            options.success({ statusCode: status, data, header: headers ?? {}, errMsg: "request:ok" });
          },
          () => options.fail(failed),
        );
        return { abort() {} };
      },
      login: ({ success }) => queueMicrotask(() => success({ code: "code-1", errMsg: "login:ok" })),
      getStorageSync: (key) => (world.storage.has(key) ? world.storage.get(key) : ""),
      setStorageSync(key, value) {
        if (JSON.stringify(value).length > 1024 * 1024) throw new Error("setStorageSync:fail");
        const all = [...world.storage.values()].reduce((n, v) => n + JSON.stringify(v).length, 0);
        if (all > 10 * 1024 * 1024) throw new Error("setStorageSync:fail exceed limit");
        world.storage.set(key, value);
      },
      removeStorageSync: (key) => void world.storage.delete(key),
      getStorageInfoSync: () => ({
        keys: [...world.storage.keys()],
        currentSize: 1,
        limitSize: 10240,
      }),
      getAccountInfoSync: () => ({ miniProgram: { appId: "wx1234567890abcdef", version: "" } }),
      getDeviceInfo: () => ({ brand: "HUAWEI", model: "Mate 70", system: "Android 14", platform: "android" }),
      getAppBaseInfo: () => ({ version: "8.0.50", SDKVersion: "3.6.0", language: "zh_CN" }),
      onNetworkStatusChange: (listener) => void world.listeners.push(listener),
    };
  }

  /** What `App({…})` does. */
  App = (options) => this.apps.push(options);
  /** What `Page({…})` does. */
  Page = (options) => this.pages.push(options);

  open(options) {
    const app = this.apps[0];
    if (!this.launch) {
      this.launch = options;
      app.onLaunch?.call(app, options);
    }
    app.onShow?.call(app, options);
  }

  hide() {
    this.apps[0].onHide?.call(this.apps[0]);
  }

  /** Instantiate a page and show it. */
  navigate(index, route, query = {}) {
    const page = { ...this.pages[index], route };
    page.onLoad?.call(page, query);
    page.onShow?.call(page);
    return page;
  }

  network(isConnected) {
    this.connected = isConnected;
    for (const listener of this.listeners) listener({ isConnected, networkType: "wifi" });
  }
}
