package dev.nowcast.flink;

import java.math.BigDecimal;
import java.math.BigInteger;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.functions.AggregateFunction;
import org.apache.flink.types.Row;

/** What a cell holds of a minute: counts, exact sums of money, and sketches of its users and sessions. */
@FunctionHint(
    output =
        @DataTypeHint(
            "ROW<`events` BIGINT, `revenue` STRING, `refunds` BIGINT, `refund_revenue` STRING, `users` BYTES, `sessions` BYTES>"))
public class CellFunction extends AggregateFunction<Row, CellFunction.Cell> {
  /** Decimal places of money. */
  private static final int PLACES = 4;

  public static class Cell {
    public long events;
    public long refunds;
    /** Sums are kept in two halves, {@code high * 2^28 + low}, which no number of events can make overflow. */
    public long revenueHigh;

    public long revenueLow;
    public long refundHigh;
    public long refundLow;
    private byte[] users;
    private byte[] sessions;
    /** Decoded when something is added; no part of the state. */
    private transient Registers usersNow;

    private transient Registers sessionsNow;

    public byte[] getUsers() {
      return usersNow == null ? users : usersNow.encode();
    }

    public void setUsers(byte[] users) {
      this.users = users;
      usersNow = null;
    }

    public byte[] getSessions() {
      return sessionsNow == null ? sessions : sessionsNow.encode();
    }

    public void setSessions(byte[] sessions) {
      this.sessions = sessions;
      sessionsNow = null;
    }

    private Registers openUsers() {
      if (usersNow == null) usersNow = Registers.decode(users);
      return usersNow;
    }

    private Registers openSessions() {
      if (sessionsNow == null) sessionsNow = Registers.decode(sessions);
      return sessionsNow;
    }
  }

  @Override
  public Cell createAccumulator() {
    return new Cell();
  }

  public void accumulate(Cell cell, Long revenue, Long user, Long session) {
    cell.events++;
    cell.revenueHigh += revenue >> 28;
    cell.revenueLow += revenue & (1L << 28) - 1;
    if (revenue < 0) {
      cell.refunds++;
      cell.refundHigh += revenue >> 28;
      cell.refundLow += revenue & (1L << 28) - 1;
    }
    cell.openUsers().add(user);
    if (session != 0) cell.openSessions().add(session);
  }

  public void merge(Cell cell, Iterable<Cell> others) {
    for (Cell other : others) {
      cell.events += other.events;
      cell.refunds += other.refunds;
      cell.revenueHigh += other.revenueHigh;
      cell.revenueLow += other.revenueLow;
      cell.refundHigh += other.refundHigh;
      cell.refundLow += other.refundLow;
      cell.openUsers().merge(other.openUsers());
      cell.openSessions().merge(other.openSessions());
    }
  }

  @Override
  public Row getValue(Cell cell) {
    return Row.of(
        cell.events,
        money(cell.revenueHigh, cell.revenueLow),
        cell.refunds,
        money(cell.refundHigh, cell.refundLow),
        cell.getUsers(),
        cell.getSessions());
  }

  private static String money(long high, long low) {
    BigInteger units = BigInteger.valueOf(high).shiftLeft(28).add(BigInteger.valueOf(low));
    return new BigDecimal(units, PLACES).toPlainString();
  }
}
