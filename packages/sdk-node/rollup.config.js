import { nodeResolve } from '@rollup/plugin-node-resolve'
import { dts } from 'rollup-plugin-dts'
import esbuild from 'rollup-plugin-esbuild'
import ts from 'typescript'

const input = 'src/index.ts'

export default [
  {
    input,
    output: { file: 'dist/index.js', format: 'es' },
    external: /^node:/,
    plugins: [nodeResolve({ extensions: ['.ts', '.js'] }), esbuild({ target: 'node20' })],
  },
  {
    input,
    output: { file: 'dist/index.d.ts', format: 'es' },
    // Bundler resolution finds the workspace's private packages, and respectExternal inlines them.
    plugins: [dts({ respectExternal: true, compilerOptions: { moduleResolution: ts.ModuleResolutionKind.Bundler } })],
  },
]
