import type { HookRefusal } from '../api/types'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage, type Key } from '../i18n'
import { CardTable } from '../parts/CardTable'

const REASONS = ['unsigned', 'headers', 'signature', 'timestamp', 'stale'] as const

/** Webhooks that were refused: who knocked, how often, and what was wrong. */
export function Refusals({ rows }: { rows: HookRefusal[] }) {
  const { t } = useLanguage()
  const { fullTime } = useFormats()
  const reason = (code: string): string => {
    const found = REASONS.find((one) => one === code)
    return found ? t(`hooks.refused.${found}` as Key) : code
  }
  if (rows.length === 0) return null
  return (
    <section className="hooks__refused">
      <h2>{t('hooks.refusals')}</h2>
      <p className="muted">{t('hooks.refusals_hint')}</p>
      <CardTable
        heads={[
          { label: t('hooks.address') },
          { label: t('reviews.reason') },
          { label: t('hooks.times'), right: true },
          { label: t('hooks.last_at') },
        ]}
      >
        {rows.map((one) => (
          <tr key={`${one.hook} ${one.address} ${one.reason}`}>
            <td className="table__lead num">
              {one.address} <span className="code muted">{one.hook}</span>
            </td>
            <td className="table__wide">{reason(one.reason)}</td>
            <td className="num table__right" data-label={t('hooks.times')}>
              {count(one.times)}
            </td>
            <td className="num" data-label={t('hooks.last_at')}>
              {fullTime(one.last_at)}
            </td>
          </tr>
        ))}
      </CardTable>
    </section>
  )
}
