import { Hono } from 'hono'
import type { Logger } from 'pino'
import type { Role } from '../config.ts'
import { NowcastError } from '../errors.ts'
import type { Telemetry } from '../telemetry.ts'
import { type AdminRoutesDependencies, addAdminRoutes } from './admin-routes.ts'
import { answerError } from './answer-error.ts'
import { allowCors } from './cors.ts'
import { addEventsRoute, type EventsRouteDependencies } from './events-route.ts'
import { addOpenapiRoute } from './openapi/openapi-route.ts'
import { addPageRoutes, type PageRoutesOptions } from './page-routes.ts'
import { addProjectRoute } from './project-route.ts'
import { addQueryRoute, type QueryRouteDependencies } from './query-route.ts'
import { addRejectedRoute, type RejectedRouteDependencies } from './rejected-route.ts'
import { addSegmentRoutes, SEGMENT_PATHS } from './segment-routes.ts'
import { addStatusRoutes, type StatusRoutesDependencies } from './status-routes.ts'

export interface AppDependencies
  extends QueryRouteDependencies,
    EventsRouteDependencies,
    RejectedRouteDependencies,
    StatusRoutesDependencies {
  logger: Logger
  telemetry: Telemetry
  page: PageRoutesOptions
  admin: AdminRoutesDependencies
  /** @throws NowcastError `stopping` unless the server is started, `wrong_role` unless it has the role */
  requireServing(role?: Role): void
}

/** All HTTP routes, to be served at any path. */
export function createApp(dependencies: AppDependencies): Hono {
  const { logger, telemetry } = dependencies
  const app = new Hono()
  app.use(async (context, next) => {
    const end = telemetry.requests.startTimer()
    await next()
    end({ route: routeOf(context.req.path), status: String(context.res.status) })
  })
  app.onError((error, context) => answerError(error, context, logger))
  app.notFound((context) =>
    answerError(new NowcastError('not_found', `there is nothing at ${context.req.path}`), context, logger),
  )
  for (const [path, role] of Object.entries(ROLE_BY_PATH)) {
    app.use(path, async (context, next) => {
      // Before anything can go wrong: pages of other origins must be able to read what did, and when to come again.
      allowCors(context)
      if (context.req.method !== 'OPTIONS') dependencies.requireServing(role)
      await next()
    })
  }
  app.use('/v1/admin/*', async (_context, next) => {
    dependencies.requireServing()
    await next()
  })
  addEventsRoute(app, dependencies)
  addSegmentRoutes(app, dependencies)
  addQueryRoute(app, dependencies)
  addRejectedRoute(app, dependencies)
  addProjectRoute(app, dependencies)
  addOpenapiRoute(app)
  addStatusRoutes(app, dependencies)
  addAdminRoutes(app, dependencies.admin)
  addPageRoutes(app, dependencies.page)
  for (const path of ['/v1/events', '/v1/query', ...SEGMENT_PATHS]) {
    app.all(path, (context) => {
      context.header('allow', 'POST, OPTIONS')
      return answerError(new NowcastError('method_not_allowed', `use POST for ${path}`), context, logger)
    })
  }
  return app
}

/** What pages of any origin may ask, and the role that answers. */
const ROLE_BY_PATH: Record<string, Role | undefined> = {
  '/v1/events': 'ingest',
  ...Object.fromEntries(SEGMENT_PATHS.map((path) => [path, 'ingest' as const])),
  '/v1/projects/:key/settings': 'ingest',
  '/v1/query': 'query',
  '/v1/rejected': 'query',
  '/v1/project': undefined,
  '/v1/openapi.json': undefined,
}
const ROUTES = [...Object.keys(ROLE_BY_PATH), '/healthz', '/readyz', '/metrics', '/nowcast.js']

/** A bounded set of labels, whatever is asked for and wherever the app is mounted. */
function routeOf(path: string): string {
  return ROUTES.find((route) => path.endsWith(route)) ?? 'page'
}

export type { Readiness } from './status-routes.ts'
