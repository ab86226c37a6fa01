import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = fileURLToPath(new URL("../clients/javascript", import.meta.url));

/** What `vite build --mode …` makes of `clients/javascript`, into the wheel beside the console. */
const OUTPUTS = {
  script: { entry: "web/script.ts", format: "iife", file: "carloop.js" },
  module: { entry: "web/index.ts", format: "es", file: "carloop.mjs" },
  mini: { entry: "mini/index.ts", format: "cjs", file: "carloop-mini.cjs" },
} as const;

export default defineConfig(({ mode }) => {
  const output = OUTPUTS[mode as keyof typeof OUTPUTS] ?? OUTPUTS.script;
  return {
    publicDir: false,
    server: { fs: { allow: [source, fileURLToPath(new URL(".", import.meta.url))] } },
    cacheDir: fileURLToPath(new URL("node_modules/.vite-tracker", import.meta.url)),
    build: {
      outDir: fileURLToPath(new URL("../src/carloop/console/sdk", import.meta.url)),
      emptyOutDir: false,
      target: "es2019",
      reportCompressedSize: false,
      minify: true,
      lib: {
        entry: `${source}/src/${output.entry}`,
        formats: [output.format],
        name: "carloop",
        fileName: () => output.file,
      },
    },
    test: { globals: true, dir: source, include: [`${source}/test/**/*.test.ts`] },
  };
});
