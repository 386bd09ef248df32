import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * Makes the engine's process runnable from the sources, for tests: Node runs no TypeScript before version 22.
 * @returns path of the bundle; it lies inside the package, so that `chdb` is found from it
 */
export async function bundleEngine(): Promise<string> {
  const outfile = fileURLToPath(new URL('../../../../node_modules/.cache/nowcast/engine.mjs', import.meta.url))
  await build({
    entryPoints: [fileURLToPath(new URL('./engine-main.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['chdb'],
  })
  return outfile
}
