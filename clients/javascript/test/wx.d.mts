import type { LaunchOptions, RequestOptions, Wx } from "../src/mini/wx";

type Options = Record<string, unknown>;

export interface Shown extends Options {
  [name: string]: unknown;
}

export class FakeWeChat {
  constructor(
    serve: (
      options: RequestOptions,
    ) => Promise<{ status: number; body: string; headers?: Record<string, string> }>,
  );
  wx: Wx;
  storage: Map<string, unknown>;
  requests: RequestOptions[];
  App: (options: object) => void;
  Page: (options: object) => void;
  open(options: LaunchOptions): void;
  hide(): void;
  navigate(index: number, route: string, query?: Record<string, string>): Shown;
  network(isConnected: boolean): void;
}
