import { quantity } from '../format/quantity'

const ZONED = /T.*(Z|[+-][0-9]{2}:?[0-9]{2})$/
const LOCAL = /^([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})/

/**
 * A changed value for reading, as the customer gave it.
 *
 * A day stays a day, and a time without a zone is the plant's own: neither goes through this
 * browser's clock.
 */
export function changeValue(kind: string, raw: string | null, dayTime: (iso: string) => string): string {
  if (raw === null || raw === '') return '–'
  if (kind === 'qty') return quantity(raw)
  if (kind !== 'date') return raw
  if (ZONED.test(raw) && !Number.isNaN(Date.parse(raw))) return dayTime(raw)
  const local = LOCAL.exec(raw)
  return local === null ? raw : `${local[1]} ${local[2]}`
}
