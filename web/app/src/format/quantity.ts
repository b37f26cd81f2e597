const DECIMAL = /^(-?)([0-9]+)(?:\.([0-9]+))?$/

/** A decimal string for reading: thousands grouped, trailing zeros gone; never through a float. */
export function quantity(value: string | null | undefined): string {
  if (value === null || value === undefined) return '–'
  const match = DECIMAL.exec(value)
  if (match === null) return value
  const whole = (match[2] ?? '').replace(/^0+(?=[0-9])/, '').replace(/\B(?=([0-9]{3})+$)/g, ',')
  const part = (match[3] ?? '').replace(/0+$/, '')
  const zero = whole === '0' && part === ''
  return `${match[1] === '-' && !zero ? '−' : ''}${whole}${part === '' ? '' : `.${part}`}`
}

/** Whether a decimal string is zero. */
export function isZero(value: string): boolean {
  return /^-?0*(\.0*)?$/.test(value)
}

/** How far `part` is of `whole`, in whole per cent from 0 to 100, for a bar's width only. */
export function percent(part: string, whole: string): number {
  const total = Number(whole)
  if (!(total > 0)) return 0
  return Math.max(0, Math.min(100, Math.floor((Number(part) / total) * 100)))
}

/** A whole number for reading. */
export function count(value: number): string {
  return quantity(String(Math.trunc(value)))
}
