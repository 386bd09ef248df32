import type { Hono } from 'hono'
import type { QueryStage } from '../query/query.ts'
import { preflight, requireOrigin } from './cors.ts'
import type { BodyReader } from './read-body.ts'
import type { VerifiedToken } from './read-token.ts'

export interface QueryRouteDependencies {
  query: QueryStage
  bodies: BodyReader
  verify(token: string | undefined): Promise<VerifiedToken>
}

/** `POST /v1/query`. */
export function addQueryRoute(app: Hono, { query, bodies, verify }: QueryRouteDependencies): void {
  app.options('/v1/query', preflight)
  app.post('/v1/query', async (context) => {
    const token = /^Bearer\s+(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1]
    const { scope } = await verify(token)
    requireOrigin(context.req.header('origin'), scope.project)
    const { value } = await bodies.readJson(context)
    return context.json(await query.answer(value, scope, context.req.raw.signal))
  })
}
