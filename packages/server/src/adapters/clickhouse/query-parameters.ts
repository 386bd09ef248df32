/** Collects a statement's values, so that its text holds only their names. */
export class QueryParameters {
  readonly values: Record<string, unknown> = {}
  private count = 0

  /** The placeholder of one more value: `{p3:Array(String)}`. */
  add(value: unknown, type: string): string {
    const name = `p${this.count++}`
    this.values[name] = value
    return `{${name}:${type}}`
  }
}
