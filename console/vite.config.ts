import { env } from "node:process";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = env.CARLOOP_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/console/",
  plugins: [react()],
  build: {
    outDir: "../src/carloop/console/static",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { "/api": server, "/v1": server, "/readyz": server } },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test/setup.ts"],
    testTimeout: 20_000,
    css: false,
  },
});
