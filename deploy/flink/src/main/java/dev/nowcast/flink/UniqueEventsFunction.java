package dev.nowcast.flink;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.annotation.ArgumentHint;
import org.apache.flink.table.annotation.ArgumentTrait;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.StateHint;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.table.functions.ProcessTableFunction;
import org.apache.flink.types.Row;

/**
 * Decodes events and tells which are counted: not the repeats, nor records that are not Nowcast's. By the rule of Nowcast's own consumers, so that both always agree: an event is a
 * repeat if its identity stands among the <code>duplicateOffsets</code> before it in its partition, the latest occurrence
 * received at most <code>duplicateMs</code> apart; repeats are occurrences too. That is a function of the log alone:
 * no clock, and no time to live, which would forget identities while the job stands still.
 *
 * <p>Identities that no event can repeat any more are dropped a bucket at a time, so that the state is bounded: by
 * duplicateOffsets and a quarter of it for each partition.
 */
@DataTypeHint(
    "ROW<`offset` BIGINT NOT NULL, `appended` BIGINT NOT NULL, `counted` BOOLEAN NOT NULL, `minute` BIGINT NOT NULL, `second` BIGINT NOT NULL, `cell` STRING NOT NULL, `revenue` BIGINT NOT NULL, `user` BIGINT NOT NULL, `session` BIGINT NOT NULL, `age` BIGINT NOT NULL>")
public class UniqueEventsFunction extends ProcessTableFunction<Row> {
  private static final long MINUTE_MS = 60_000;
  private static final long SECOND_MS = 1000;

  /** What is remembered of a bucket beside its identities. */
  public static class Progress {
    /** Offset at which old identities were dropped last; -1 before the first event. */
    public long droppedAt = -1;
  }

  public void eval(
      @StateHint MapView<Long, byte[]> seen,
      @StateHint Progress progress,
      @ArgumentHint(ArgumentTrait.SET_SEMANTIC_TABLE) Row record,
      @DataTypeHint("BIGINT NOT NULL") Long duplicateOffsets,
      @DataTypeHint("BIGINT NOT NULL") Long duplicateMs)
      throws Exception {
    long offset = record.<Long>getFieldAs("offset");
    EventHeader event = EventHeader.of(record.<byte[]>getFieldAs("header"));
    long appended = record.<Long>getFieldAs("appended");
    if (event == null) {
      collect(Row.of(offset, appended, false, 0L, 0L, "", 0L, 0L, 0L, 0L));
      return;
    }
    boolean isRepeat = isRepeat(seen.get(event.id), event, offset, duplicateOffsets, duplicateMs);
    seen.put(event.id, occurrence(event, offset));
    if (progress.droppedAt < 0) progress.droppedAt = offset;
    if (offset - progress.droppedAt > duplicateOffsets / 4) {
      dropBefore(seen, offset - duplicateOffsets);
      progress.droppedAt = offset;
    }
    long minute = Math.floorDiv(event.time, MINUTE_MS) * MINUTE_MS;
    long second = Math.floorDiv(event.receivedAt, SECOND_MS) * SECOND_MS;
    collect(
        Row.of(
            offset,
            appended,
            !isRepeat,
            minute,
            second,
            event.cell,
            event.revenue,
            event.user,
            event.session,
            event.receivedAt - minute));
  }

  private static boolean isRepeat(
      byte[] latest, EventHeader event, long offset, long duplicateOffsets, long duplicateMs) {
    if (latest == null) return false;
    ByteBuffer bytes = ByteBuffer.wrap(latest);
    if (bytes.getInt(0) != event.idRest) return false;
    return offset - bytes.getLong(4) <= duplicateOffsets
        && Math.abs(event.receivedAt - bytes.getLong(12)) <= duplicateMs;
  }

  private static byte[] occurrence(EventHeader event, long offset) {
    return ByteBuffer.allocate(20).putInt(event.idRest).putLong(offset).putLong(event.receivedAt).array();
  }

  private static void dropBefore(MapView<Long, byte[]> seen, long offset) throws Exception {
    List<Long> old = new ArrayList<>();
    for (Map.Entry<Long, byte[]> entry : seen.entries()) {
      if (ByteBuffer.wrap(entry.getValue()).getLong(4) < offset) old.add(entry.getKey());
    }
    for (Long id : old) seen.remove(id);
  }
}
