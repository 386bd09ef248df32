import { chmodSync, cpSync, existsSync, rmSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import json from '@rollup/plugin-json'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { dts } from 'rollup-plugin-dts'
import esbuild from 'rollup-plugin-esbuild'
import ts from 'typescript'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

/** Files that the server reads while it runs, and how one gets them if they are missing. */
const COPIES = [
  { from: 'src/adapters/clickhouse/migrations', to: 'dist/migrations', ending: '.sql' },
  ...(existsSync(path('src/adapters/redis/commands'))
    ? [{ from: 'src/adapters/redis/commands', to: 'dist/commands', ending: '.lua' }]
    : []),
  { from: '../react-dashboard/dist/page', to: 'dist/page', madeBy: 'npm run build --workspace @nowcast/react' },
  {
    from: '../sdk-browser/dist/nowcast.js',
    to: 'dist/nowcast.js',
    madeBy: 'npm run build --workspace @nowcast/browser',
  },
]

const ENTRIES = {
  index: 'src/index.ts',
  cli: 'src/cli/main.ts',
  engine: 'src/adapters/clickhouse/embedded/engine-main.ts',
}

/** npm packages stay outside; the workspace's private package is inlined. */
function isExternal(id) {
  return !id.startsWith('.') && !id.startsWith('/') && id !== '@nowcast/protocol'
}

/** Empties dist, so that no chunk of an earlier build is published. */
function startEmpty() {
  return { name: 'start-empty', buildStart: () => rmSync(path('dist'), { recursive: true, force: true }) }
}

/** Makes the CLI a program. */
function executable(name) {
  return {
    name: 'executable',
    renderChunk(code, chunk) {
      if (chunk.name !== name || code.startsWith('#!')) return null
      return { code: `#!/usr/bin/env node\n${code}`, map: null }
    },
    writeBundle: () => chmodSync(path(`dist/${name}.js`), 0o755),
  }
}

/** Puts files beside the code that reads them. */
function copies() {
  return {
    name: 'copies',
    buildStart() {
      for (const { from, madeBy } of COPIES) {
        if (!existsSync(path(from))) this.error(`${from} is missing${madeBy ? `: run \`${madeBy}\` first` : ''}.`)
      }
    },
    writeBundle() {
      for (const { from, to, ending } of COPIES) {
        const isWanted = (source) => !ending || statSync(source).isDirectory() || source.endsWith(ending)
        cpSync(path(from), path(to), { recursive: true, filter: isWanted })
      }
    },
  }
}

export default [
  {
    input: ENTRIES,
    output: { dir: 'dist', format: 'es', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    external: isExternal,
    plugins: [
      json(),
      nodeResolve({ extensions: ['.ts', '.js'] }),
      esbuild({ target: 'node20' }),
      executable('cli'),
      copies(),
      startEmpty(),
    ],
  },
  {
    input: ENTRIES.index,
    output: { file: 'dist/index.d.ts', format: 'es' },
    external: isExternal,
    // Bundler resolution finds the workspace's private package, and respectExternal inlines it.
    plugins: [dts({ respectExternal: true, compilerOptions: { moduleResolution: ts.ModuleResolutionKind.Bundler } })],
  },
]
