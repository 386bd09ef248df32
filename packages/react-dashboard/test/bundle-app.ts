import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url))
}

/** Builds a host's page of test/embed, with the components from source, into a folder with an index.html. */
export async function bundleApp(name: string, folder: string): Promise<void> {
  const page = `<!doctype html><html lang="en"><title>Host</title><meta name="viewport" content="width=device-width">
    <link rel="icon" href="data:,"><style>html { color-scheme: light dark } body { background: Canvas }</style>
    <link rel="stylesheet" href="style.css"><div id="root"></div><script type="module" src="${name}.js"></script>`
  await Promise.all([
    build({
      entryPoints: [path(`./embed/${name}.tsx`)],
      bundle: true,
      splitting: true,
      format: 'esm',
      outdir: folder,
      define: { 'process.env.NODE_ENV': '"development"' },
      logLevel: 'error',
    }),
    build({ entryPoints: [path('../src/style.css')], bundle: true, outfile: `${folder}/style.css`, logLevel: 'error' }),
  ])
  await writeFile(`${folder}/index.html`, page)
}
