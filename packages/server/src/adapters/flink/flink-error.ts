/** What went wrong between us and Flink, and what to do. */
export class FlinkError extends Error {
  override name = 'FlinkError'
}
