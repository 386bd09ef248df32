/**
 * Why something was not delivered.
 *
 * - `unreachable`: no answer, or none in time; sent again
 * - `unavailable`: the server cannot take it now; sent again
 * - `refused`: the server will not take it; lost
 * - `queue_full`: more events waited than the queue holds; lost
 * - `invalid_event`: no JSON can be made of it, or it is too large; lost
 * - `closed`: the client was closed before it was delivered; lost
 */
export type DeliveryErrorCode = 'unreachable' | 'unavailable' | 'refused' | 'queue_full' | 'invalid_event' | 'closed'

/** A failure that `onError` hears of. */
export interface DeliveryError extends Error {
  code: DeliveryErrorCode
  /** How many events are lost; 0 when they will be sent again. */
  lostEvents: number
  /** The same events will be sent again. */
  retryable: boolean
  /** What caused it, where something did. */
  cause?: unknown
}

/** Makes a `DeliveryError`. */
export function deliveryError(
  code: DeliveryErrorCode,
  message: string,
  lostEvents: number,
  cause?: unknown,
): DeliveryError {
  return Object.assign(new Error(message), { name: 'DeliveryError', code, lostEvents, retryable: !lostEvents, cause })
}
