/** Where an event stands in its partition of the log, and when it came, epoch ms. */
export interface RowPlace {
  /** Of the log. */
  epoch: number
  offset: number
  receivedAt: number
}

/** A row on its way to a store that reads it from a topic. */
export interface PlacedRow extends RowPlace {
  value: Uint8Array
}

/** A topic of the log's events without its repeats, with as many partitions: a store that drops none reads it. */
export interface UniqueRows {
  /** Its name, for people. */
  readonly name: string
  /** Finds it, or makes it. @throws NowcastError `log_unavailable` */
  start(): Promise<void>
  stop(): Promise<void>
  /**
   * Place of the last row of each partition; undefined where it holds none. Rows that were appended a moment ago may not be
   * seen yet; {@link append} knows of them.
   * @throws NowcastError `log_unavailable`
   */
  last(): Promise<(RowPlace | undefined)[]>
  /**
   * Appends those of the rows that follow the last one of the partition: all of them or none, and none of those that
   * another process had begun to write before.
   * @param rows of one epoch, by their offsets
   * @throws NowcastError `log_unavailable` when it is unknown whether they were written: the same call may be made again
   */
  append(partition: number, rows: readonly PlacedRow[]): Promise<void>
}
