import { defineConfig } from 'vite'

/** Builds dist/style.css, with what older browsers need in it. */
export default defineConfig({
  publicDir: false,
  build: {
    outDir: 'dist',
    emptyOutDir: false,
    rolldownOptions: { input: 'src/style.css', output: { assetFileNames: '[name][extname]' } },
  },
})
