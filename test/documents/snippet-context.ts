/** What a page says in words before a fragment uses it. A name that the fragment declares itself is not added. */
const CONTEXT: Record<string, Record<string, string>> = {
  'README.md': {
    fetchReadToken: 'declare function fetchReadToken(): Promise<string>',
    readSecret: 'declare const readSecret: string',
  },
  'packages/server/README.md': {
    app: "declare const app: import('hono').Hono",
    httpServer: "declare const httpServer: import('node:http').Server",
  },
  'packages/sdk-node/README.md': { request: 'declare const request: { ip: string }' },
  'docs/query.md': { token: 'declare const token: string' },
  'docs/nextjs.md': {
    Analytics: 'declare const Analytics: () => null',
    currentUser: 'declare function currentUser(): Promise<{ tenantId: string } | undefined>',
  },
}

/** A fragment with what its page takes for granted, as a module of its own. */
export function inContext(document: string, code: string): string {
  // Modules of the reader's own app.
  const own = code.replace(/^import .* from '(?:@|\.)\/.*'\n/gm, '')
  const declared = Object.entries(CONTEXT[document] ?? {})
    .filter(([name]) => new RegExp(`\\b${name}\\b`).test(own))
    .filter(([name]) => !new RegExp(`(const|function|import) \\{?[^}=(]*\\b${name}\\b`).test(own))
    .map(([, declaration]) => declaration)
  return [...declared, own, 'export {}', ''].join('\n')
}
