/** The part of the documented `wx` API that the adapter uses, as WeChat names it. */

export interface RequestResult {
  statusCode: number;
  data: unknown;
  header?: Record<string, string>;
}

export interface RequestOptions {
  url: string;
  method: "POST";
  data: string;
  header: Record<string, string>;
  timeout: number;
  dataType: string;
  success: (result: RequestResult) => void;
  fail: (error: { errMsg: string }) => void;
}

export interface LaunchOptions {
  path?: string;
  query?: Record<string, string>;
  scene?: number;
  referrerInfo?: { appId?: string };
}

export interface Wx {
  request(options: RequestOptions): unknown;
  /** Answers with an empty text where nothing is stored. */
  getStorageSync(key: string): unknown;
  setStorageSync(key: string, value: unknown): void;
  removeStorageSync(key: string): void;
  getStorageInfoSync(): { keys: string[] };
  getAccountInfoSync?(): { miniProgram: { appId: string; version?: string } };
  getDeviceInfo?(): { brand?: string; model?: string; platform?: string; system?: string };
  getAppBaseInfo?(): { version?: string; SDKVersion?: string; language?: string };
  getLaunchOptionsSync?(): LaunchOptions;
  onNetworkStatusChange?(listener: (status: { isConnected: boolean }) => void): void;
}
