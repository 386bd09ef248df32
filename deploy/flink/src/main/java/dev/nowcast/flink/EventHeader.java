package dev.nowcast.flink;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The header <code>nowcast</code> of a record in the topic of events: everything that is counted, without the row. Ingest
 * decided it all; nothing here reads a clock. Little-endian:
 *
 * <pre>
 *   0   uint8     version, 1
 *   1   uint8     flags
 *   2   float64   received time, epoch ms
 *   10  float64   event time, epoch ms
 *   18  float64   revenue in ten-thousandths, an integer
 *   26  3 uint32  hash of (project, id)
 *   38  2 uint32  hash of the user, low word first
 *   46  2 uint32  hash of the session; 0 without one
 *   54  UTF-8     the cell: project, name, country, device, category, hot1, hot2, unconverted, parted by NUL
 * </pre>
 */
final class EventHeader {
  private static final int VERSION = 1;
  private static final int FIXED_BYTES = 54;
  private static final int CELL_PARTS = 8;

  final long receivedAt;
  final long time;
  final long revenue;
  /** The first 64 of the 96 bits of the hash of (project, id). */
  final long id;
  /** The other 32. */
  final int idRest;
  final long user;
  final long session;
  final String cell;

  private EventHeader(ByteBuffer bytes, byte[] header) {
    receivedAt = (long) bytes.getDouble(2);
    time = (long) bytes.getDouble(10);
    revenue = (long) bytes.getDouble(18);
    id = bytes.getLong(26);
    idRest = bytes.getInt(34);
    user = bytes.getLong(38);
    session = bytes.getLong(46);
    cell = new String(header, FIXED_BYTES, header.length - FIXED_BYTES, StandardCharsets.UTF_8);
  }

  /** Null when the record was not written by Nowcast. */
  static EventHeader of(byte[] header) {
    if (!isOurs(header)) return null;
    return new EventHeader(ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN), header);
  }

  private static boolean isOurs(byte[] header) {
    if (header == null || header.length < FIXED_BYTES || header[0] != VERSION) return false;
    int parts = 1;
    for (int at = FIXED_BYTES; at < header.length; at++) if (header[at] == 0) parts++;
    return parts == CELL_PARTS;
  }
}
