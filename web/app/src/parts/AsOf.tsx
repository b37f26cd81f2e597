import { usePlantClock, useSecond } from '../api/settings'
import { useLanguage } from '../i18n'
import { clockTime } from '../format/time'

/** When the figures were taken, in the plant's time. */
export function AsOf({ at, updatedAt }: { at: string; updatedAt?: number }) {
  const { t } = useLanguage()
  const { zone } = usePlantClock()
  useSecond()
  const old = updatedAt === undefined ? 0 : Math.floor((Date.now() - updatedAt) / 1000)
  return (
    <span className="muted small num">
      {t('board.as_of', { time: clockTime(Date.parse(at), zone) })}
      {old >= 20 && <span className="warn"> · {t('board.stale', { n: old })}</span>}
    </span>
  )
}
