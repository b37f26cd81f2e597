import { useEffect, useRef } from 'react'
import { Link, useSearchParams } from 'react-router'
import { useCan } from '../api/session'
import type { SourceState } from '../api/types'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { Backfills } from './Backfills'
import { CallBudget } from './CallBudget'
import { DriftNotes } from './DriftNotes'
import { SourceActions } from './SourceActions'
import { SourceStateTag } from './SourceStateTag'
import { StreamTable } from './StreamTable'

const LISTENING = { starting: ['never', '◷'], listening: ['ok', '●'], failing: ['stale', '▲'] } as const

/** One legacy system: its connection and its streams. */
export function SourceCard({ source }: { source: SourceState }) {
  const { t, say } = useLanguage()
  const { duration } = useFormats()
  const can = useCan()
  const [params] = useSearchParams()
  const path = `/sources/${encodeURIComponent(source.code)}`
  const asked = params.get('source') === source.code
  const card = useRef<HTMLElement>(null)
  useEffect(() => {
    if (asked) card.current?.scrollIntoView({ block: 'start' })
  }, [asked])
  const rows = source.streams.reduce((sum, stream) => sum + stream.rows, 0)
  return (
    <section ref={card} className={`card source-card${asked ? ' source-card--asked' : ''}`} aria-label={say(source.label)}>
      <div className="card__head">
        <div className="source-card__title">
          <h2>{say(source.label)}</h2>
          <SourceStateTag state={source.state} />
          <span className="muted num">
            {source.age_seconds === null
              ? t('board.never')
              : t('sources.age', { age: duration(source.age_seconds) })}
          </span>
        </div>
        <SourceActions source={source} />
      </div>
      {source.message && (
        <p className={`source-card__message source-card__message--${source.state}`}>{say(source.message)}</p>
      )}
      {source.listening?.message && (
        <p className="source-card__message source-card__message--stale">{say(source.listening.message)}</p>
      )}
      <p className="source-card__facts muted">
        <span>{say(source.system)}</span>
        <span className="code">{source.address}</span>
        {source.listening && (
          <span className={`source-state source-state--${LISTENING[source.listening.state][0]}`}>
            <span aria-hidden="true">{LISTENING[source.listening.state][1]}</span>{' '}
            {t(`sources.listen.${source.listening.state}`)}
          </span>
        )}
        <span>{t(source.read_only ? 'sources.read_only' : 'sources.writes')}</span>
        {source.off_peak.length > 0 && (
          <span className="num">{t('control.off_peak', { windows: source.off_peak.join(', ') })}</span>
        )}
        <span className="num">{t('sources.rows', { n: count(rows) })}</span>
        <Link to={`${path}/tables`}>{t('sources.tables')}</Link>
        {can('sources.manage') && <Link to={`${path}/connection`}>{t('connect.edit')}</Link>}
        <Link to={`${path}/access`}>{t('access.open')}</Link>
        <Link to={`/runs?source=${encodeURIComponent(source.code)}`}>{t('menu.runs')}</Link>
        {source.set_aside > 0 && (
          <Link to={`/set-aside?source=${encodeURIComponent(source.code)}`} className="warn">
            {t('sources.set_aside', { n: count(source.set_aside) })}
          </Link>
        )}
      </p>
      <StreamTable streams={source.streams} source={source.code} offPeak={source.off_peak.length > 0} />
      <DriftNotes source={source.code} streams={source.streams} />
      <Backfills backfills={source.streams.flatMap((stream) => stream.backfills)} />
      {source.calls && <CallBudget calls={source.calls} />}
    </section>
  )
}
