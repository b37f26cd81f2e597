import type { Station } from '../api/types'
import { quantity } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage, type Key } from '../i18n'
import { SourceLinks } from '../parts/SourceLinks'
import { StopMark } from './StopMark'

const STATES: Record<Station['state'], Key> = {
  done: 'station.done',
  passed: 'station.passed',
  running: 'station.running',
  current: 'station.current',
  waiting: 'station.waiting',
}

function Quantities({ station }: { station: Station }) {
  const { t } = useLanguage()
  if (station.qty_good === null && station.qty_scrap === null) return null
  return (
    <p className="num">
      {station.qty_good !== null && `${t('station.good')} ${quantity(station.qty_good)}`}
      {station.qty_scrap !== null && (
        <span className={/[1-9]/.test(station.qty_scrap) ? 'warn' : 'muted'}>
          {' '}
          {t('station.scrap')} {quantity(station.qty_scrap)}
        </span>
      )}
    </p>
  )
}

/** A span of time whose ends may stand on two lines but never break apart. */
function When({ from, to }: { from: string | null; to: string | null }) {
  const { span } = useFormats()
  const [start, end] = span(from, to).split(' → ')
  return (
    <>
      <span className="nowrap">{start} →</span> <span className="nowrap">{end}</span>
    </>
  )
}

/** One operation: its state, when, who, on what, how many. */
export function StationStop({ station }: { station: Station }) {
  const { t, say } = useLanguage()
  const here = station.state === 'running' || station.state === 'current'
  const name = `${station.seq} ${station.name}`
  const who = [...station.operators, ...station.machines].join(' · ')
  const actual = station.actual_start ?? station.actual_end
  return (
    <li
      className={`stop stop--${station.state}${station.doubt ? ' stop--doubt' : ''}`}
      aria-current={here ? 'step' : undefined}
    >
      <span className="stop__rail">
        <StopMark state={station.state} doubt={station.doubt !== null} />
      </span>
      <div className="stop__body">
        <p className="stop__name">
          <span className="muted num">{station.seq}</span> {station.name}
          {station.kind === 'outside' && <span className="stop__kind">{t('station.outside')}</span>}
        </p>
        <p className={`stop__state${here ? ' stop__state--here' : ''}`}>{t(STATES[station.state])}</p>
        {station.doubt && <p className="stop__doubt">{say(station.doubt)}</p>}
        {station.waits_for && <p className="stop__waits">{say(station.waits_for)}</p>}
        {actual && (
          <p className="num">
            <span className="visually-hidden">{t('station.actual')} </span>
            <When from={station.actual_start} to={station.actual_end} />
          </p>
        )}
        {(station.plan_start ?? station.plan_end) && (
          <p className="num muted small">
            {t('station.plan')} <When from={station.plan_start} to={station.plan_end} />
          </p>
        )}
        {who && <p>{who}</p>}
        {station.supplier && <p>{station.supplier}</p>}
        {!who && !station.supplier && station.work_centre && <p className="muted">{station.work_centre}</p>}
        <Quantities station={station} />
        <SourceLinks sources={station.sources} of={name} />
      </div>
    </li>
  )
}
