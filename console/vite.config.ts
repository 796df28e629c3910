import { fileURLToPath } from "node:url";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const engine = process.env.BRIGHTRUN_URL ?? "http://127.0.0.1:8610";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    assetsInlineLimit: 0, // the Content-Security-Policy admits no data: scripts, styles or fonts
    modulePreload: { polyfill: false }, // the polyfill is an inline script
  },
  server: {
    // `npm run dev` serves the pages and passes the rest on, as one origin like the engine's own.
    proxy: { "/api": engine, "/config.json": engine, "/_cognito": engine },
  },
});
