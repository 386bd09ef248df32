import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/*
 * What a page has to load for analytics: each SDK from npm, with all that it needs, bundled for browsers, minified, and
 * gzipped with level 9; where the package brings a file for the script tag, that too.
 */

const OURS = new URL('../packages/sdk-browser/dist/', import.meta.url)

const THEIRS = [
  { name: '@plausible-analytics/tracker', version: '0.4.6', code: 'export { init, track } from' },
  { name: 'posthog-js', version: '1.449.2', code: 'export { default } from', script: 'dist/array.js' },
  {
    name: '@segment/analytics-next',
    version: '1.84.3',
    code: 'export { AnalyticsBrowser } from',
    script: 'dist/umd/standalone.js',
  },
]

const gzipped = (code) => gzipSync(code, { level: 9 }).length
const rows = [
  {
    name: '@nowcast/browser',
    version: JSON.parse(readFileSync(new URL('../package.json', OURS))).version,
    module: gzipped(readFileSync(new URL('index.js', OURS))),
    script: gzipped(readFileSync(new URL('nowcast.js', OURS))),
  },
]
const folder = mkdtempSync(join(tmpdir(), 'nowcast-size-'))
try {
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const packages = THEIRS.map(({ name, version }) => `${name}@${version}`)
  execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], { cwd: folder })
  for (const { name, version, code, script } of THEIRS) {
    const { outputFiles } = await build({
      stdin: { contents: `${code} '${name}'`, resolveDir: folder },
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'browser',
      write: false,
    })
    const file = script && readFileSync(join(folder, 'node_modules', name, script))
    rows.push({ name, version, module: gzipped(outputFiles[0].contents), script: file && gzipped(file) })
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

console.error('gzip, bytes                                 module   script')
for (const { name, version, module, script } of rows) {
  const size = (bytes) => (bytes?.toLocaleString('en-US') ?? '–').padStart(9)
  console.error(`${`${name} ${version}`.padEnd(40)} ${size(module)}${size(script)}`)
}
console.log(JSON.stringify({ bench: 'sdk-size', rows }))
