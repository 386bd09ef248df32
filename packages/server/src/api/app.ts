import { Hono } from 'hono'
import type { Logger } from 'pino'
import type { Role } from '../config.ts'
import { NowcastError } from '../errors.ts'
import type { Telemetry } from '../telemetry.ts'
import { type AdminRoutesDependencies, addAdminRoutes } from './admin-routes.ts'
import { answerError } from './answer-error.ts'
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
  app.use('/v1/*', async (context, next) => {
    dependencies.requireServing(roleOf(context.req.path))
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
    app.all(path, (context) =>
      answerError(new NowcastError('method_not_allowed', `use POST for ${path}`), context, logger),
    )
  }
  return app
}

const ROUTES = [
  '/v1/events',
  '/v1/query',
  '/v1/rejected',
  '/v1/project',
  '/v1/openapi.json',
  ...SEGMENT_PATHS,
  '/healthz',
  '/readyz',
  '/metrics',
  '/nowcast.js',
]

/** The role that answers a path below `/v1`: what is no question, and neither settings nor the owner's, brings events. */
function roleOf(path: string): Role | undefined {
  if (/\/v1\/(query|rejected)$/.test(path)) return 'query'
  return /\/v1\/(admin\/|openapi|project$)/.test(path) ? undefined : 'ingest'
}

/** A bounded set of labels, whatever is asked for and wherever the app is mounted. */
function routeOf(path: string): string {
  return ROUTES.find((route) => path.endsWith(route)) ?? 'page'
}

export type { Readiness } from './status-routes.ts'
