import { timingSafeEqual } from 'node:crypto'
import type { Hono } from 'hono'
import { NowcastError } from '../errors.ts'

export interface AdminRoutesDependencies {
  /** Known to whoever may read the data directory. */
  key: string
  audit(options: { from?: number; to?: number }): Promise<unknown>
}

/** `POST /v1/admin/audit`, for the command line. */
export function addAdminRoutes(app: Hono, { key, audit }: AdminRoutesDependencies): void {
  app.post('/v1/admin/audit', async (context) => {
    const given = Buffer.from(context.req.header('authorization') ?? '')
    const expected = Buffer.from(`Bearer ${key}`)
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw new NowcastError('unknown_key', 'this is for the owner of the data directory: use `nowcast audit`')
    }
    const time = (name: string) => {
      const value = context.req.query(name)
      return value === undefined ? undefined : Number(value)
    }
    return context.json((await audit({ from: time('from'), to: time('to') })) as object)
  })
}
