import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import type { Context, Hono } from 'hono'
import { routePath } from 'hono/route'

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

/** Everything is the page's own, live figures over a WebSocket too; nothing is inline. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

export interface PageRoutesOptions {
  /** Folder of the built dashboard page. */
  pageDir: string
  /** The built script-tag SDK. */
  scriptFile: string
}

/** `GET /` (the dashboard page), its assets, and `/nowcast.js`. */
export function addPageRoutes(app: Hono, { pageDir, scriptFile }: PageRoutesOptions): void {
  app.get('/nowcast.js', (context) => {
    context.header('access-control-allow-origin', '*')
    context.header('cache-control', 'public, max-age=3600')
    return sendFile(context, scriptFile)
  })
  const sendPage = (context: Context) => {
    context.header('content-security-policy', PAGE_POLICY)
    context.header('referrer-policy', 'no-referrer')
    context.header('x-frame-options', 'DENY')
    context.header('cache-control', 'no-cache')
    return sendFile(context, join(pageDir, 'index.html'))
  }
  // The page's assets are relative to it: mounted at /analytics it stands at /analytics/.
  app.get('/', (context) =>
    context.req.path.endsWith('/') ? sendPage(context) : context.redirect(`${context.req.path}/`),
  )
  app.get('/*', (context, next) => (context.req.path === routePath(context).slice(0, -1) ? sendPage(context) : next()))
  app.get('/assets/:name', (context) => {
    context.header('cache-control', 'public, max-age=31536000, immutable')
    return sendFile(context, within(join(pageDir, 'assets'), context.req.param('name')))
  })
  app.get('/favicon.svg', (context) => sendFile(context, join(pageDir, 'favicon.svg')))
}

/** A file of a folder; the folder itself when the name leads out of it. */
function within(dir: string, name: string): string {
  const file = normalize(join(dir, name))
  return file.startsWith(dir + sep) ? file : dir
}

async function sendFile(context: Context, file: string): Promise<Response> {
  let bytes: Buffer
  try {
    bytes = await readFile(file)
  } catch {
    return context.notFound() as Response
  }
  context.header('content-type', CONTENT_TYPES[extname(file)] ?? 'application/octet-stream')
  context.header('x-content-type-options', 'nosniff')
  return context.body(new Uint8Array(bytes))
}
