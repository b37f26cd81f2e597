import { useLanguage } from '../i18n'
import './Flags.css'

type Props = { late?: boolean; lateHours?: number | null; rush?: boolean; hold?: boolean }

/** Late, rush and on hold, each a word and not a colour alone. */
export function Flags({ late, lateHours, rush, hold }: Props) {
  const { t } = useLanguage()
  if (!late && !rush && !hold) return null
  const days = lateHours ? Math.floor(lateHours / 24) : 0
  const length =
    lateHours === null || lateHours === undefined
      ? ''
      : days >= 2
        ? ` ${t('flag.days', { n: days })}`
        : ` ${t('flag.hours', { n: lateHours })}`
  return (
    <span className="flags">
      {late && (
        <span className="flag flag--late">
          {t('flag.late')}
          {length}
        </span>
      )}
      {rush && <span className="flag flag--rush">{t('flag.rush')}</span>}
      {hold && <span className="flag flag--hold">{t('flag.hold')}</span>}
    </span>
  )
}
