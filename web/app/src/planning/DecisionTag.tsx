import type { OrderChange } from '../api/types'
import { useLanguage } from '../i18n'
import '../sources/Sources.css'
import './Planning.css'

type Props = { change: Pick<OrderChange, 'decision' | 'applied_at'> }

/** What was decided of a change, as a shape and a word; an accepted one says whether it is carried out. */
export function DecisionTag({ change }: Props) {
  const { t } = useLanguage()
  if (change.decision === null) return <span className="muted">{t('decision.unregistered')}</span>
  if (change.decision === 'pending') return <span className="source-state source-state--stale">■ {t('decision.pending')}</span>
  if (change.decision === 'rejected') return <span className="source-state source-state--paused">× {t('decision.rejected')}</span>
  if (change.decision === 'none') return <span className="source-state source-state--never">– {t('decision.none')}</span>
  const applied = change.applied_at !== null
  return (
    <span className="source-state source-state--ok">
      {applied ? '●' : '↻'} {t(applied ? 'decision.applied' : 'decision.accepted')}
    </span>
  )
}
