package dev.nowcast.flink;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * The bucket that an event's identity falls into, from the header of its record; null when the record is not Nowcast's.
 * Repeats of an event come to the same partition and the same bucket.
 */
public class BucketFunction extends ScalarFunction {
  static final int BUCKETS = 64;

  public @DataTypeHint("INT") Integer eval(@DataTypeHint("BYTES") byte[] header) {
    EventHeader event = EventHeader.of(header);
    return event == null ? null : (int) (event.id & (BUCKETS - 1));
  }
}
