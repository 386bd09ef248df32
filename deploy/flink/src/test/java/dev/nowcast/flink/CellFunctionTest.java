package dev.nowcast.flink;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

class CellFunctionTest {
  private final CellFunction function = new CellFunction();

  /** As the state keeps it between two uses. */
  private static CellFunction.Cell stored(CellFunction.Cell cell) {
    CellFunction.Cell copy = new CellFunction.Cell();
    copy.events = cell.events;
    copy.refunds = cell.refunds;
    copy.revenueHigh = cell.revenueHigh;
    copy.revenueLow = cell.revenueLow;
    copy.refundHigh = cell.refundHigh;
    copy.refundLow = cell.refundLow;
    copy.setUsers(cell.getUsers());
    copy.setSessions(cell.getSessions());
    return copy;
  }

  @Test
  void moneyIsExactWhateverTheSum() {
    CellFunction.Cell cell = function.createAccumulator();
    for (int i = 0; i < 2_000_000; i++) function.accumulate(cell, 10_000_000_000_001L, 1L, 0L);
    function.accumulate(cell, -3L, 2L, 5L);
    Row row = function.getValue(cell);
    assertEquals(2_000_001L, row.getField(0));
    assertEquals("2000000000000199.9997", row.getField(1));
    assertEquals(1L, row.getField(2));
    assertEquals("-0.0003", row.getField(3));
  }

  @Test
  void partsAddUpToTheWhole() {
    CellFunction.Cell whole = function.createAccumulator();
    CellFunction.Cell first = function.createAccumulator();
    CellFunction.Cell second = function.createAccumulator();
    for (long i = 0; i < 5000; i++) {
      long revenue = i % 3 == 0 ? -i : i * 7;
      long user = i * 0x9e3779b97f4a7c15L;
      long session = i % 2 == 0 ? 0 : user * 3;
      function.accumulate(whole, revenue, user, session);
      function.accumulate(i < 4000 ? first : second, revenue, user, session);
      if (i % 500 == 0) first = stored(first);
    }
    CellFunction.Cell merged = stored(function.createAccumulator());
    function.merge(merged, List.of(stored(first), second));
    Row expected = function.getValue(whole);
    Row found = function.getValue(stored(merged));
    for (int i = 0; i < 4; i++) assertEquals(expected.getField(i), found.getField(i));
    for (int i = 4; i < 6; i++) assertArrayEquals((byte[]) expected.getField(i), (byte[]) found.getField(i));
  }

  @Test
  void aCellWithoutSessionsHasNoSketchOfThem() {
    CellFunction.Cell cell = function.createAccumulator();
    function.accumulate(cell, 0L, 1L, 0L);
    assertNull(function.getValue(cell).getField(5));
  }
}
