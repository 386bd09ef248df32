import { rm } from 'node:fs/promises'
import resolve from '@rollup/plugin-node-resolve'
import { dts } from 'rollup-plugin-dts'
import esbuild from 'rollup-plugin-esbuild'

const external = [/^react($|\/)/, /^react-dom($|\/)/, 'recharts']

const clean = { name: 'clean', buildStart: () => rm('dist', { recursive: true, force: true }) }

export default [
  {
    input: 'src/index.ts',
    external,
    plugins: [clean, resolve({ extensions: ['.ts', '.tsx', '.js'] }), esbuild({ target: 'es2022', jsx: 'automatic' })],
    output: {
      dir: 'dist',
      format: 'es',
      entryFileNames: 'index.js',
      // Charts are a chunk of their own, so that a page without them does not load the chart library.
      chunkFileNames: ({ name }) => (name === 'index' ? 'nowcast.js' : '[name].js'),
      // Everything here runs in the browser; frameworks with server components look for this line.
      banner: "'use client'",
      hoistTransitiveImports: false,
    },
  },
  {
    input: 'src/index.ts',
    external,
    plugins: [resolve({ extensions: ['.ts', '.tsx'] }), dts()],
    output: { file: 'dist/index.d.ts', format: 'es' },
  },
]
