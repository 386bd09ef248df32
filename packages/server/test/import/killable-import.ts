import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { build } from 'esbuild'
import type { ImportOptions } from '../../src/cli/import/import-options.ts'

const ENTRY = `
import { importFiles } from ${JSON.stringify(join(import.meta.dirname, '../../src/cli/import/import-files.ts'))}
const report = await importFiles(JSON.parse(process.argv[2]))
process.stdout.write(JSON.stringify(report))
`

/** Bundles the import, so that it can run in a process of its own; returns a function that starts one. */
export async function bundleImport(folder: string): Promise<(options: ImportOptions) => ChildProcess> {
  const outfile = join(folder, 'import.mjs')
  await build({
    stdin: { contents: ENTRY, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    outfile,
  })
  return (options) => spawn(process.execPath, [outfile, JSON.stringify(options)], { stdio: 'inherit' })
}

/** Ends a process at once and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}
