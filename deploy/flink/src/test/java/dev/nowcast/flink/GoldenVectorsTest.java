package dev.nowcast.flink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import org.apache.flink.table.api.dataview.MapView;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;
import org.apache.flink.util.Collector;
import org.junit.jupiter.api.Test;

/** What Nowcast's own consumers do, in vectors that its tests write: these functions do the same. */
class GoldenVectorsTest {
  private static List<String[]> read(String name) throws IOException {
    try (InputStream file = GoldenVectorsTest.class.getResourceAsStream("/" + name + ".tsv")) {
      return new String(file.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .map(line -> line.split("\t", -1))
          .toList();
    }
  }

  private static long splitMix(long state) {
    long z = (state ^ state >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    return z ^ z >>> 31;
  }

  private static List<Long> hashesOf(String[] line) {
    List<Long> hashes = new ArrayList<>();
    for (String hash : line[2].split(",")) hashes.add(Long.parseUnsignedLong(hash, 16));
    long state = Long.parseLong(line[1]);
    for (int i = Integer.parseInt(line[1]); i > 0; i--) {
      state += 0x9e3779b97f4a7c15L;
      hashes.add(splitMix(state));
    }
    return hashes;
  }

  @Test
  void sketchesAreTheSameByteForByte() throws IOException {
    for (String[] line : read("sketches")) {
      Registers registers = new Registers();
      for (long hash : hashesOf(line)) registers.add(hash);
      byte[] expected = Base64.getDecoder().decode(line[3]);
      assertArrayEquals(expected, registers.encode(), line[0]);
      assertArrayEquals(expected, Registers.decode(expected).encode(), line[0] + ", read and written again");
    }
  }

  @Test
  void sketchesOfPartsAreUnitedToTheSame() throws IOException {
    for (String[] line : read("sketches")) {
      Registers[] parts = {new Registers(), new Registers(), new Registers()};
      List<Long> hashes = hashesOf(line);
      for (int i = 0; i < hashes.size(); i++) parts[i % 7 == 0 ? i % 3 : 0].add(hashes.get(i));
      Registers united = Registers.decode(parts[1].encode());
      united.merge(Registers.decode(parts[0].encode()));
      united.merge(parts[2]);
      assertArrayEquals(Base64.getDecoder().decode(line[3]), united.encode(), line[0]);
    }
    assertNull(new Registers().encode());
  }

  @Test
  void headersMeanTheSame() throws IOException {
    for (String[] line : read("headers")) {
      byte[] header = Base64.getDecoder().decode(line[0]);
      EventHeader event = EventHeader.of(header);
      assertEquals(Long.parseLong(line[1]), event.receivedAt);
      assertEquals(Long.parseLong(line[2]), event.time);
      assertEquals(Long.parseLong(line[3]), event.revenue);
      assertEquals(Long.parseLong(line[4]), event.id);
      assertEquals(Integer.parseInt(line[5]), event.idRest);
      assertEquals(Long.parseLong(line[6]), event.user);
      assertEquals(Long.parseLong(line[7]), event.session);
      assertEquals(new String(Base64.getDecoder().decode(line[8]), StandardCharsets.UTF_8), event.cell);
      header[0] = 2;
      assertNull(EventHeader.of(header), "another version");
      assertNull(EventHeader.of(new byte[54]), "no cell");
      assertNull(EventHeader.of(null), "no header");
    }
  }

  @Test
  void theSameEventsAreRepeatsAndStateStaysBounded() throws Exception {
    UniqueEventsFunction function = new UniqueEventsFunction();
    List<Row> collected = new ArrayList<>();
    function.setCollector(
        new Collector<>() {
          @Override
          public void collect(Row row) {
            collected.add(row);
          }

          @Override
          public void close() {}
        });
    MapView<Long, byte[]> seen = new MapView<>();
    UniqueEventsFunction.Progress progress = new UniqueEventsFunction.Progress();
    int most = 0;
    for (String[] line : read("repeats")) {
      long offset = Long.parseLong(line[0]);
      byte[] header = headerOf(line);
      LinkedHashMap<String, Integer> names = new LinkedHashMap<>();
      for (String name : List.of("partition", "offset", "appended", "header", "bucket")) names.put(name, names.size());
      Row record =
          org.apache.flink.types.RowUtils.createRowWithNamedPositions(
              RowKind.INSERT, new Object[] {0, offset, 0L, header, 0}, names);
      function.eval(seen, progress, record, 50L, 1000L);
      Row row = collected.remove(0);
      assertEquals(offset, row.getField(0));
      assertEquals(line[5].equals("0"), row.getField(2), "offset " + offset);
      most = Math.max(most, seen.getMap().size());
    }
    assertTrue(collected.isEmpty());
    assertTrue(most <= 50 + 50 / 4 + 1, most + " identities");
  }

  private static byte[] headerOf(String[] line) {
    byte[] cell = "p\0n\0c\0d\0c\0\0\0".getBytes(StandardCharsets.UTF_8);
    ByteBuffer header = ByteBuffer.allocate(54 + cell.length).order(ByteOrder.LITTLE_ENDIAN);
    header.put((byte) 1).put((byte) 0).putDouble(Double.parseDouble(line[4])).putDouble(0).putDouble(0);
    for (int i = 1; i <= 3; i++) header.putInt(Integer.parseInt(line[i]));
    header.position(54);
    return header.put(cell).array();
  }
}
