import type { Context } from 'hono'
import { NowcastError } from '../errors.ts'
import type { Project } from '../project.ts'

/** Lets any page ask; whether it may is decided once its project is known. */
export function allowCors(context: Context): void {
  const origin = context.req.header('origin')
  context.header('access-control-allow-origin', origin ?? '*')
  if (origin) context.header('vary', 'Origin')
  context.header('access-control-expose-headers', 'Retry-After')
}

/** The answer to a preflight. */
export function preflight(context: Context): Response {
  context.header('access-control-allow-methods', 'GET, POST, OPTIONS')
  context.header('access-control-allow-headers', 'authorization, content-type, content-encoding, x-retry-count')
  context.header('access-control-max-age', '86400')
  return context.body(null, 204)
}

/** @throws NowcastError `origin_not_allowed` when the project names its origins and this is none of them */
export function requireOrigin(origin: string | undefined, project: Project): void {
  if (!origin || !project.allowedOrigins || project.allowedOrigins.includes(origin)) return
  throw new NowcastError(
    'origin_not_allowed',
    `pages of ${origin} may not use this project: add the origin to allowedOrigins`,
  )
}
