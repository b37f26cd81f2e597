import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

/** Where `npm run dev` finds the API; the built app is served by the server itself. */
const server = process.env.TENON_URL ?? 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [react()],
  base: '/',
  // The server puts each answer's own nonce here; antd's style tags carry it.
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    outDir: '../../src/tenon/server/static',
    emptyOutDir: true,
    sourcemap: false,
    // Data URIs would need img-src data: in the content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  server: { proxy: { '/api': { target: server, changeOrigin: false } } },
})
