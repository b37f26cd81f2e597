import { Link } from 'react-router'
import { useCan } from '../api/session'
import type { LineageEvent } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'

/** What made a change; a sync leads to its run. */
export function Cause({ event }: { event: LineageEvent }) {
  const { t } = useLanguage()
  const can = useCan()
  const word = t(`lineage.cause.${event.cause.kind}`)
  if (event.cause.kind === 'sync' && event.cause.id && can('sources.read'))
    return (
      <Link className="inline" to={`/runs/${event.cause.id}`}>
        {word}
      </Link>
    )
  return <>{word}</>
}

function Change({ change }: { change: LineageEvent['changes'][number] }) {
  const { t, say } = useLanguage()
  const shown = (value: string | null): string => value ?? t('lineage.no_value')
  return (
    <li>
      <span className="muted">{say(change.field)}</span>{' '}
      {change.reference ? (
        t('lineage.replaced')
      ) : (
        <span className="chain__value">
          {shown(change.before)} → <b>{shown(change.after)}</b>
        </span>
      )}
    </li>
  )
}

/** How a record changed, newest first: who, because of what, from what to what. */
export function Story({ events }: { events: LineageEvent[] }) {
  const { t, say } = useLanguage()
  const { fullTime } = useFormats()
  return (
    <section className="card">
      <h2>{t('lineage.events')}</h2>
      {events.length === 0 && <p className="muted">{t('lineage.events_none')}</p>}
      <ol className="story">
        {events.map((event, index) => (
          <li key={index}>
            <span className="num">{fullTime(event.at)}</span> {say(event.actor)} ·{' '}
            <Cause event={event} />
            {event.kind === 'created' && <> · {t('lineage.created')}</>}
            <ul>
              {event.changes.map((change) => (
                <Change key={change.field.en} change={change} />
              ))}
            </ul>
          </li>
        ))}
      </ol>
    </section>
  )
}
