package dev.nowcast.flink;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.types.Row;

/**
 * Where the job began in each partition of the topic of events and up to where it has read, written in one transaction
 * with what it has counted up to there.
 */
@FunctionHint(
    output =
        @DataTypeHint(
            "ROW<`generation` STRING, `partitions` ARRAY<ROW<`partition` INT, `first` BIGINT, `next` BIGINT, `first_at` BIGINT, `last_at` BIGINT>>>"))
public class PositionsFunction extends AggregateFunction<Row, PositionsFunction.Positions> {
  public static class Positions {
    /** Made with the state, and kept with it by savepoints: another one means that the job began to count anew. */
    public String generation;

    /** Of each partition: 1 + its first offset, its next offset, when these records were appended; 0 for none. */
    public long[] columns = {};
  }

  private static final int COLUMNS = 4;

  @Override
  public Positions createAccumulator() {
    Positions positions = new Positions();
    positions.generation = UUID.randomUUID().toString();
    return positions;
  }

  public void accumulate(Positions positions, Integer partition, Long offset, Long appendedAt) {
    add(positions, partition, offset + 1, offset + 1, appendedAt, appendedAt);
  }

  /** The generation of what is merged into stays: the others are parts of a second's worth. */
  public void merge(Positions positions, Iterable<Positions> others) {
    for (Positions other : others) {
      for (int partition = 0; partition * COLUMNS < other.columns.length; partition++) {
        int at = partition * COLUMNS;
        if (other.columns[at] == 0) continue;
        add(
            positions,
            partition,
            other.columns[at],
            other.columns[at + 1],
            other.columns[at + 2],
            other.columns[at + 3]);
      }
    }
  }

  private static void add(Positions positions, int partition, long first, long next, long firstAt, long lastAt) {
    int at = partition * COLUMNS;
    if (positions.columns.length < at + COLUMNS) positions.columns = Arrays.copyOf(positions.columns, at + COLUMNS);
    long[] columns = positions.columns;
    if (columns[at] == 0 || first < columns[at]) {
      columns[at] = first;
      columns[at + 2] = firstAt;
    }
    if (next > columns[at + 1]) {
      columns[at + 1] = next;
      columns[at + 3] = lastAt;
    }
  }

  @Override
  public Row getValue(Positions positions) {
    List<Row> rows = new ArrayList<>();
    for (int partition = 0; partition * COLUMNS < positions.columns.length; partition++) {
      int at = partition * COLUMNS;
      long[] columns = positions.columns;
      if (columns[at] == 0) continue;
      rows.add(Row.of(partition, columns[at] - 1, columns[at + 1], columns[at + 2], columns[at + 3]));
    }
    return Row.of(positions.generation, rows.toArray(new Row[0]));
  }
}
