/** Three small files with fixed names: the service worker keeps them by name. */
export default {
  root: import.meta.dirname,
  base: '/r/',
  build: {
    // Phones of the shop floor and their apps' built-in browsers are old.
    target: 'es2019',
    emptyOutDir: true,
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      input: [`${import.meta.dirname}/index.html`, `${import.meta.dirname}/sw.ts`],
      output: {
        entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'main.js'),
        assetFileNames: ({ names }) => (names[0]?.endsWith('.css') ? 'style.css' : '[name][extname]'),
      },
    },
  },
}
