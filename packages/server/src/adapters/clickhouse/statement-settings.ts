/*
 * What statements carry because servers, the profiles of their users and the embedded engine have other defaults.
 * `nowcast doctor` looks whether a user may set all of it.
 */

/** Of inserts of events. */
export const INSERTING = {
  async_insert: 0,
  insert_deduplicate: 0,
  max_partitions_per_insert_block: '0',
  date_time_input_format: 'basic',
  input_format_json_read_objects_as_strings: 1,
  input_format_skip_unknown_fields: 0,
  // One block, hence one part a month: bodies are up to 32 MB. A second thread would cut them, and cost more.
  input_format_parallel_parsing: 0,
  max_insert_block_size: '1048576',
  min_insert_block_size_rows: '1048576',
  min_insert_block_size_bytes: '536870912',
  max_insert_threads: '1',
} as const

/** Of statements that add a row or a few. */
export const NOTING = { async_insert: 0, insert_deduplicate: 0 } as const

/** Of the copy of a day's hours. */
export const COPYING = {
  ...NOTING,
  // Cells of a busy day have sketches of gigabytes: beyond this they go by way of the disk.
  max_bytes_before_external_group_by: String(256 * 1024 ** 2),
  parallel_distributed_insert_select: '0',
} as const

/** Of statements that drop a month: the server's own bound on what may be dropped is for people's mistakes. */
export const DROPPING = { max_partition_size_to_drop: '0' } as const

/** Of the statement that rewrites a user's rows. Replicated tables ask for the second, since it reads another table. */
export const REWRITING = { mutations_sync: '0', allow_nondeterministic_mutations: 1 } as const

/** Of exports. */
export const EXPORTING = {
  date_time_output_format: 'iso',
  output_format_json_quote_decimals: 1,
  output_format_decimal_trailing_zeros: 1,
  prefer_column_name_to_alias: 1,
  optimize_read_in_order: 1,
  max_block_size: '8192',
  max_threads: 1,
  output_format_parquet_row_group_size: '65536',
  max_execution_time: 6 * 3600,
  // Without a bound the embedded engine answers by way of a file.
  max_result_bytes: '0',
} as const
