/** What a file to import may be. */
export const IMPORT_FORMATS = ['combined-log', 'csv', 'ndjson'] as const
export type ImportFormat = (typeof IMPORT_FORMATS)[number]
