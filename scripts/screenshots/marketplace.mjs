import { createServer } from 'node:http'
import { build } from 'esbuild'
import { root } from '../public-packages.mjs'

/** A product of somebody else with a page that embeds components; `pictured` is what its backend would hand out. */
export async function startMarketplace(pictured) {
  const { outputFiles } = await build({
    entryPoints: [`${root}/scripts/screenshots/seller-page.jsx`],
    ...{ bundle: true, write: false, outdir: '/', jsx: 'automatic' },
    define: { 'process.env.NODE_ENV': '"production"' },
  })
  const textOf = (ending) => outputFiles.find(({ path }) => path.endsWith(ending)).text
  const files = {
    '/page.js': ['text/javascript', textOf('.js')],
    '/page.css': ['text/css', textOf('.css')],
    '/': [
      'text/html',
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>Marketplace</title><link rel="stylesheet" href="/page.css">
<div id="root"></div><script>pictured = ${JSON.stringify(pictured)}</script><script src="/page.js"></script></html>`,
    ],
  }
  const server = createServer((request, response) => {
    const [type, text] = files[request.url] ?? []
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': type ?? 'text/plain' }).end(text)
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() }
}
