import type { Hono } from 'hono'
import type { Telemetry } from '../telemetry.ts'

/** Whether one part of the server can do its work, and what to do if not. */
export interface Readiness {
  [part: string]: { ready: boolean; message?: string }
}

export interface StatusRoutesDependencies {
  telemetry: Telemetry
  readiness(): Promise<Readiness>
}

/** `GET /healthz`, `/readyz`, `/metrics`. */
export function addStatusRoutes(app: Hono, { telemetry, readiness }: StatusRoutesDependencies): void {
  app.get('/healthz', (context) => context.json({ status: 'ok' }))
  app.get('/readyz', async (context) => {
    const parts = await readiness()
    const ready = Object.values(parts).every((part) => part.ready)
    return context.json({ status: ready ? 'ready' : 'not ready', parts }, ready ? 200 : 503)
  })
  app.get('/metrics', async (context) => {
    context.header('content-type', telemetry.registry.contentType)
    return context.body(await telemetry.registry.metrics())
  })
}
