/** HTTP status of each error code: the only table that maps one to the other. */
export const ERROR_STATUS = {
  invalid_json: 400,
  invalid_body: 400,
  all_rejected: 400,
  invalid_query: 400,
  query_too_large: 400,
  missing_key: 401,
  missing_token: 401,
  invalid_token: 401,
  expired_token: 401,
  unknown_key: 403,
  origin_not_allowed: 403,
  metric_not_allowed: 403,
  not_allowed: 403,
  not_found: 404,
  method_not_allowed: 405,
  body_too_large: 413,
  too_many_events: 413,
  unsupported_encoding: 415,
  rate_limited: 429,
  internal: 500,
  not_supported: 501,
  log_unavailable: 503,
  buffer_full: 503,
  archive_unavailable: 503,
  hot_store_unavailable: 503,
  query_timeout: 503,
  stopping: 503,
  wrong_role: 503,
} as const
/** What went wrong, for programs. */
export type ErrorCode = keyof typeof ERROR_STATUS

/** Body of every answer that is not a success. */
export interface ErrorBody {
  error: {
    code: ErrorCode
    /** What is wrong and what to do. */
    message: string
    /** The field of the request that is wrong, where there is one. */
    field?: string
  }
}
