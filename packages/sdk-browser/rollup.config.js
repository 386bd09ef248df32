import { nodeResolve } from '@rollup/plugin-node-resolve'
import terser from '@rollup/plugin-terser'
import { dts } from 'rollup-plugin-dts'
import esbuild from 'rollup-plugin-esbuild'
import ts from 'typescript'

// terser makes what a page has to load 5 % smaller than esbuild does.
const code = () => [
  nodeResolve({ extensions: ['.ts', '.js'] }),
  esbuild({ target: 'es2020' }),
  terser({ ecma: 2020, compress: { passes: 3 } }),
]
// Bundler resolution finds the workspace's private packages, and respectExternal inlines them.
const types = () => [
  dts({ respectExternal: true, compilerOptions: { moduleResolution: ts.ModuleResolutionKind.Bundler } }),
]

export default [
  { input: 'src/index.ts', output: { file: 'dist/index.js', format: 'es' }, plugins: code() },
  { input: 'src/script-tag.ts', output: { file: 'dist/nowcast.js', format: 'iife' }, plugins: code() },
  { input: 'src/index.ts', output: { file: 'dist/index.d.ts', format: 'es' }, plugins: types() },
  { input: 'src/script-tag.ts', output: { file: 'dist/nowcast.d.ts', format: 'es' }, plugins: types() },
]
