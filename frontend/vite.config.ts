// Every folder of src/ with a main.ts or main.tsx is a page of its own: src/builder/main.tsx becomes dist/builder.js and dist/builder.css.
import { existsSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const source = resolve(import.meta.dirname, "src");
const entries = Object.fromEntries(
  readdirSync(source)
    .flatMap((folder) => ["main.ts", "main.tsx"].map((file) => [folder, resolve(source, folder, file)] as const))
    .filter(([, file]) => existsSync(file)),
);

export default defineConfig({
  base: "./",
  plugins: [react()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      input: entries,
      output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name]-[hash].js", assetFileNames: "[name][extname]" },
    },
  },
});
