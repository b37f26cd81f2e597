import { Tooltip } from 'antd'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { away } from '../api/away'
import { useLiveState } from '../api/useLive'
import { useLanguage } from '../i18n'

// A stream that joins again at once is not worth a word.
const PATIENCE = 4_000

/** Says that changes are not told at once but looked for now and then; nothing when all is well. */
export function LiveBadge() {
  const { t } = useLanguage()
  const lost = useLiveState() === 'lost'
  const gone = useSyncExternalStore(away.subscribe, away.current)
  const [shown, show] = useState(false)
  useEffect(() => {
    if (!lost) return show(false)
    const timer = setTimeout(() => show(true), PATIENCE)
    return () => clearTimeout(timer)
  }, [lost])
  return (
    <span role="status" className="live">
      {shown && !gone && (
        <Tooltip title={t('live.hint')}>
          <span className="live__badge" tabIndex={0}>
            <span aria-hidden="true">○</span> <span className="live__word">{t('live.lost')}</span>
          </span>
        </Tooltip>
      )}
    </span>
  )
}
