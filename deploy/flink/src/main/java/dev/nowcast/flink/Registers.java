package dev.nowcast.flink;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/**
 * A HyperLogLog of 16,384 registers: register for register the same as Nowcast's and as Redis's, and read and written in
 * the encoding of Redis (hyperloglog.c), sparse up to {@value #MOST_SPARSE_BYTES} bytes, then dense.
 */
final class Registers {
  private static final int PRECISION = 14;
  private static final int COUNT = 1 << PRECISION;
  private static final int RANK_BITS = 6;
  private static final int MAX_RANK = 64 - PRECISION + 1;
  private static final int HEADER_BYTES = 16;
  private static final int DENSE_BYTES = COUNT * RANK_BITS / 8;
  private static final int MOST_SPARSE_BYTES = 3000;
  /** What the sparse encoding can say. */
  private static final int MAX_SPARSE_RANK = 32;
  private static final int FIRST_SLOTS = 16;
  /** A sparse sketch of more registers than these is longer than {@value #MOST_SPARSE_BYTES} bytes. */
  private static final int MOST_SPARSE = 2048;

  /** While there are few: index and rank of each, open addressing by the index; 0 is empty. */
  private int[] few = new int[FIRST_SLOTS];
  private int used;
  /** When there are many: a rank for each. */
  private byte[] ranks;

  boolean isEmpty() {
    return ranks == null && used == 0;
  }

  /** Adds an element by its 64-bit hash. The register is the 14 lowest bits, its rank the place of the first 1 above. */
  void add(long hash) {
    int index = (int) (hash & (COUNT - 1));
    long rest = hash >>> PRECISION;
    raise(index, rest == 0 ? MAX_RANK : Long.numberOfTrailingZeros(rest) + 1);
  }

  void merge(Registers other) {
    if (other.ranks != null) {
      for (int index = 0; index < COUNT; index++) if (other.ranks[index] != 0) raise(index, other.ranks[index]);
    } else {
      for (int register : other.few) if (register != 0) raise(register >>> RANK_BITS, register & 63);
    }
  }

  private void raise(int index, int rank) {
    if (ranks != null) {
      if (ranks[index] < rank) ranks[index] = (byte) rank;
      return;
    }
    int mask = few.length - 1;
    int slot = (index * 0x9e3779b1 >>> 16) & mask;
    while (few[slot] != 0 && few[slot] >>> RANK_BITS != index) slot = (slot + 1) & mask;
    int register = index << RANK_BITS | rank;
    if (few[slot] != 0) {
      if (few[slot] < register) few[slot] = register;
      return;
    }
    few[slot] = register;
    if (++used * 2 > few.length) grow();
  }

  private void grow() {
    int[] before = few;
    used = 0;
    if (before.length > MOST_SPARSE) {
      ranks = new byte[COUNT];
      few = null;
    } else {
      few = new int[before.length * 2];
    }
    for (int register : before) if (register != 0) raise(register >>> RANK_BITS, register & 63);
  }

  /** The value of a Redis key, or null for an empty sketch; its cached count is marked stale. */
  byte[] encode() {
    if (isEmpty()) return null;
    byte[] sparse = encodeSparse();
    return sparse != null ? sparse : encodeDense();
  }

  static Registers decode(byte[] bytes) {
    Registers registers = new Registers();
    if (bytes == null) return registers;
    if (bytes[4] == 0) registers.readDense(bytes);
    else registers.readSparse(bytes);
    return registers;
  }

  private static void writeHeader(byte[] out, int encoding) {
    out[0] = 'H';
    out[1] = 'Y';
    out[2] = 'L';
    out[3] = 'L';
    out[4] = (byte) encoding;
    out[15] = (byte) 0x80;
  }

  private byte[] encodeDense() {
    byte[] out = new byte[HEADER_BYTES + DENSE_BYTES];
    writeHeader(out, 0);
    for (int register : ascending()) {
      int bit = (register >>> RANK_BITS) * RANK_BITS;
      int at = HEADER_BYTES + bit / 8;
      int shifted = (register & 63) << bit % 8;
      out[at] |= (byte) shifted;
      if (shifted > 255) out[at + 1] |= (byte) (shifted >>> 8);
    }
    return out;
  }

  private void readDense(byte[] bytes) {
    ranks = new byte[COUNT];
    few = null;
    for (int index = 0; index < COUNT; index++) {
      int bit = index * RANK_BITS;
      int at = HEADER_BYTES + bit / 8;
      int word = bytes[at] & 255;
      if (at + 1 < bytes.length) word |= (bytes[at + 1] & 255) << 8;
      ranks[index] = (byte) (word >>> bit % 8 & 63);
    }
  }

  /** Runs of zeros and of up to four equal registers; null when that is too long, or cannot say a rank. */
  private byte[] encodeSparse() {
    if (ranks != null) return null;
    ByteArrayOutputStream out = new ByteArrayOutputStream(HEADER_BYTES + used * 3 + 2);
    out.writeBytes(new byte[HEADER_BYTES]);
    int[] registers = ascending();
    int next = 0;
    for (int i = 0; i < registers.length; ) {
      int index = registers[i] >>> RANK_BITS;
      int rank = registers[i] & 63;
      if (rank > MAX_SPARSE_RANK) return null;
      int run = 1;
      while (run < 4 && i + run < registers.length && registers[i + run] == (index + run << RANK_BITS | rank)) run++;
      writeZeros(out, index - next);
      out.write(0x80 | rank - 1 << 2 | run - 1);
      if (out.size() > HEADER_BYTES + MOST_SPARSE_BYTES) return null;
      next = index + run;
      i += run;
    }
    writeZeros(out, COUNT - next);
    byte[] bytes = out.toByteArray();
    writeHeader(bytes, 1);
    return bytes;
  }

  private static void writeZeros(ByteArrayOutputStream out, int zeros) {
    if (zeros > 64) {
      out.write(0x40 | zeros - 1 >>> 8);
      out.write(zeros - 1);
    } else if (zeros > 0) {
      out.write(zeros - 1);
    }
  }

  private void readSparse(byte[] bytes) {
    int index = 0;
    for (int at = HEADER_BYTES; at < bytes.length; at++) {
      int code = bytes[at] & 255;
      if (code >= 0x80) {
        int rank = (code >>> 2 & 31) + 1;
        for (int run = (code & 3) + 1; run > 0; run--) raise(index++, rank);
      } else if (code >= 0x40) {
        index += ((code & 63) << 8 | bytes[++at] & 255) + 1;
      } else {
        index += code + 1;
      }
    }
  }

  private int[] ascending() {
    if (ranks == null) return Arrays.stream(few).filter(register -> register != 0).sorted().toArray();
    int[] all = new int[COUNT];
    int count = 0;
    for (int index = 0; index < COUNT; index++) {
      if (ranks[index] != 0) all[count++] = index << RANK_BITS | ranks[index];
    }
    return Arrays.copyOf(all, count);
  }
}
