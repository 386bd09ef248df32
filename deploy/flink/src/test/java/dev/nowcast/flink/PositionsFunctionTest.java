package dev.nowcast.flink;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.List;
import org.apache.flink.types.Row;
import org.junit.jupiter.api.Test;

class PositionsFunctionTest {
  private final PositionsFunction function = new PositionsFunction();

  @Test
  void partsAreUnitedAndTheGenerationIsThatOfTheState() {
    PositionsFunction.Positions state = function.createAccumulator();
    PositionsFunction.Positions part = function.createAccumulator();
    function.accumulate(state, 2, 7L, 1000L);
    function.accumulate(state, 2, 8L, 2000L);
    function.accumulate(part, 0, 0L, 3000L);
    function.accumulate(part, 2, 9L, 4000L);
    assertNotEquals(state.generation, part.generation);
    String generation = state.generation;
    function.merge(state, List.of(part));
    Row row = function.getValue(state);
    assertEquals(generation, row.getField(0));
    Row[] partitions = (Row[]) row.getField(1);
    assertEquals(2, partitions.length);
    assertEquals(Row.of(0, 0L, 1L, 3000L, 3000L), partitions[0]);
    assertEquals(Row.of(2, 7L, 10L, 1000L, 4000L), partitions[1]);
  }
}
