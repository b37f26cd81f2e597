import { Link } from 'react-router'
import type { OrderPage } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { SourceLinks } from '../parts/SourceLinks'
import { ChangeValues } from '../planning/ChangeValues'
import { DecisionTag } from '../planning/DecisionTag'

/** The numbered changes the customer made to this order, and what was decided of each. */
export function Changes({ order }: { order: OrderPage }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  // The revisions of this line know their source rows; the changes know their decisions.
  const sourcesOf = (change: OrderPage['changes'][number]) =>
    order.revisions.find(
      (one) => one.revision === change.revision && one.kind === change.kind && one.changed_at === change.changed_at,
    )?.sources ?? []
  return (
    <section className="card">
      <h2>{t('revision.title')}</h2>
      {order.changes.length === 0 && <p className="muted">{t('revision.none')}</p>}
      <ul className="facts">
        {order.changes.map((change) => (
          <li key={change.id}>
            <span className="muted num">{change.change_no ?? `#${change.revision}`}</span>
            <span className="num">{dayTime(change.changed_at)}</span>
            <span>
              {say(change.label)}
              {change.line_no !== null && change.line_no !== order.line_no && (
                <span className="muted"> {t('changes.line', { n: change.line_no })}</span>
              )}
            </span>
            <ChangeValues change={change} />
            {change.decision === 'pending' ? (
              <Link to={`/order-changes?change=${encodeURIComponent(change.id)}`}>
                <DecisionTag change={change} />
              </Link>
            ) : (
              change.decision !== null && change.decision !== 'none' && <DecisionTag change={change} />
            )}
            {change.note && <span className="muted small">{change.note}</span>}
            <SourceLinks sources={sourcesOf(change)} of={say(change.label)} />
          </li>
        ))}
      </ul>
    </section>
  )
}
