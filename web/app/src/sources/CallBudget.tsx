import type { SourceState } from '../api/types'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'

type Calls = NonNullable<SourceState['calls']>

const used = (calls: number, limit: number | null): string =>
  limit === null ? count(calls) : `${count(calls)} / ${count(limit)}`

/** Calls that cost money: how many were made of how many, and until when the rest lasts. */
export function CallBudget({ calls }: { calls: Calls }) {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  const outlook = calls.free_at
    ? t('calls.free', { at: dayTime(calls.free_at) })
    : calls.spent_at
      ? t('calls.soon', { at: dayTime(calls.spent_at) })
      : t('calls.enough')
  const look = calls.free_at ? 'bad' : calls.alarm || calls.spent_at ? 'warn' : ''
  return (
    <p className="source-card__facts muted">
      <span>{t('calls.title')}</span>
      <span className="num">{t('calls.today', { used: used(calls.today, calls.per_day) })}</span>
      <span className="num">{t('calls.month', { used: used(calls.month, calls.per_month) })}</span>
      {calls.again > 0 && <span className="num">{t('calls.again', { n: count(calls.again) })}</span>}
      <span className={`num ${look}`}>{outlook}</span>
    </p>
  )
}
