import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

/** Real files beside the repository; a test that needs one skips where it is absent. */
const FOLDER = resolve(import.meta.dirname, '../../../../../shared/data')

/** The path of a real file, or undefined, with a printed sentence, where it is absent. */
export function sharedData(path: string): string | undefined {
  const file = resolve(FOLDER, path)
  if (existsSync(file)) return file
  process.stderr.write(`Skipped: ${file} is not there. Its README says where the data come from.\n`)
  return undefined
}

/** The map for `ecommerce/online_retail_2010-12_2011-08.csv.gz`. */
export const ONLINE_RETAIL_MAP = {
  name: { value: 'purchase' },
  timestamp: { column: 'InvoiceDate', zone: 'Europe/London' },
  userId: { column: 'CustomerID', default: 'guest' },
  revenue: { multiply: ['Quantity', 'UnitPrice'] },
  currency: { value: 'GBP' },
  country: { column: 'Country' },
  category: { column: 'StockCode' },
  properties: ['InvoiceNo'],
}
