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
  /** The last 32 bits of the identity, offset, received time. */
  private static final int OCCURRENCE_BYTES = 20;

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
    byte[] before = seen.get(event.id);
    int at = placeOf(event, before);
    boolean isRepeat = at >= 0 && isRepeat(before, at, event, offset, duplicateOffsets, duplicateMs);
    seen.put(event.id, withOccurrence(before, at, event, offset));
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

  /** Where the latest occurrence of an event stands among those of the same first 64 bits; -1 when there is none. */
  private static int placeOf(EventHeader event, byte[] occurrences) {
    if (occurrences == null) return -1;
    ByteBuffer bytes = ByteBuffer.wrap(occurrences);
    for (int at = 0; at < occurrences.length; at += OCCURRENCE_BYTES) {
      if (bytes.getInt(at) == event.idRest) return at;
    }
    return -1;
  }

  private static boolean isRepeat(
      byte[] occurrences, int at, EventHeader event, long offset, long duplicateOffsets, long duplicateMs) {
    ByteBuffer latest = ByteBuffer.wrap(occurrences, at, OCCURRENCE_BYTES);
    latest.getInt();
    return offset - latest.getLong() <= duplicateOffsets
        && Math.abs(event.receivedAt - latest.getLong()) <= duplicateMs;
  }

  /** In place of the one at <code>at</code>; as a rule there is no other. */
  private static byte[] withOccurrence(byte[] occurrences, int at, EventHeader event, long offset) {
    int length = occurrences == null ? 0 : occurrences.length;
    byte[] after = new byte[at < 0 ? length + OCCURRENCE_BYTES : length];
    if (length > 0) System.arraycopy(occurrences, 0, after, 0, length);
    ByteBuffer.wrap(after)
        .position(at < 0 ? length : at)
        .putInt(event.idRest)
        .putLong(offset)
        .putLong(event.receivedAt);
    return after;
  }

  private static void dropBefore(MapView<Long, byte[]> seen, long offset) throws Exception {
    List<Long> old = new ArrayList<>();
    for (Map.Entry<Long, byte[]> entry : seen.entries()) {
      if (latestOffset(entry.getValue()) < offset) old.add(entry.getKey());
    }
    for (Long id : old) seen.remove(id);
  }

  private static long latestOffset(byte[] occurrences) {
    ByteBuffer bytes = ByteBuffer.wrap(occurrences);
    long latest = -1;
    for (int at = 0; at < occurrences.length; at += OCCURRENCE_BYTES) {
      latest = Math.max(latest, bytes.getLong(at + Integer.BYTES));
    }
    return latest;
  }
}
