import { cpSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))

/**
 * Bundles `bench/server/<name>.ts` with the server's sources as they are now, npm packages outside.
 * @returns the bundle's file
 */
export async function bundleServer(name) {
  const outdir = path('../dist')
  mkdirSync(outdir, { recursive: true })
  await build({
    entryPoints: {
      [name]: path(`../server/${name}.ts`),
      engine: path('../../packages/server/src/adapters/clickhouse/embedded/engine-main.ts'),
    },
    outdir,
    bundle: true,
    // As in the server's build: what is loaded only where it is wanted stays apart.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: 'inline',
    plugins: [{ name: 'packages-outside', setup: keepPackagesOutside }],
    logLevel: 'warning',
  })
  for (const folder of ['clickhouse/migrations', 'redis/commands'])
    cpSync(path(`../../packages/server/src/adapters/${folder}`), `${outdir}/${folder.split('/')[1]}`, {
      recursive: true,
    })
  return `${outdir}/${name}.js`
}

/** All but the workspace's private package, as in the server's own build. */
function keepPackagesOutside({ onResolve }) {
  onResolve({ filter: /^[^./]/ }, ({ path, kind }) =>
    kind === 'entry-point' || path === '@nowcast/protocol' ? undefined : { path, external: true },
  )
}
