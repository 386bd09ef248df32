/** The time, so that tests can turn it. */
export interface Clock {
  /** Epoch ms. */
  now(): number
}
