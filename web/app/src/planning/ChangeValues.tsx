import type { OrderChange } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { changeValue } from './changeValue'

type Props = { change: Pick<OrderChange, 'kind' | 'old' | 'new'>; unit?: string }

/** What it was and what the customer wants it to be. */
export function ChangeValues({ change, unit = '' }: Props) {
  const { t } = useLanguage()
  const { dayTime } = useFormats()
  if (change.old === null && change.new === null) return null
  const value = (raw: string | null): string => changeValue(change.kind, raw, dayTime)
  return (
    <span className="change__values num">
      <s className="muted nowrap">
        <span className="visually-hidden">{t('change.before')} </span>
        {value(change.old)}
      </s>{' '}
      <span aria-hidden="true">→</span>{' '}
      <b className="nowrap">
        <span className="visually-hidden">{t('change.after')} </span>
        {value(change.new)}
      </b>
      {unit && ` ${unit}`}
    </span>
  )
}
