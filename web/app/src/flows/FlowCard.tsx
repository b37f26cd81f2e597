import { Link } from 'react-router'
import type { FlowRow, FlowRunState } from '../api/types'
import { count } from '../format/quantity'
import { useFormats } from '../format/use'
import { useLanguage, type Key } from '../i18n'
import { FlowSwitch } from './FlowSwitch'

type Counted = keyof FlowRow['runs']
const COUNTS: [Counted, FlowRunState, Key][] = [
  ['running', 'running', 'flow.state.running'],
  ['waiting', 'waiting', 'flow.state.waiting'],
  ['failed', 'failed', 'flow.state.failed'],
  ['done_today', 'done', 'flow.done_today'],
]

/** A flow: what starts it, its steps in order, how its runs stand. */
export function FlowCard({ flow }: { flow: FlowRow }) {
  const { t, say } = useLanguage()
  const { dayTime } = useFormats()
  return (
    <section className="card flow" aria-label={say(flow.label)}>
      <div className="card__head">
        <div className="flow__name">
          <h2>{say(flow.label)}</h2>
          <span className="code muted">{flow.code}</span>
          <span className="muted small">{t('flow.version', { n: flow.version })}</span>
        </div>
        <FlowSwitch flow={flow} />
      </div>
      <p className="flow__when">
        {t(`flow.when.${flow.trigger.event}`, { entity: say(flow.trigger.entity_label) })}
      </p>
      <ol className="flow__steps" aria-label={t('flow.steps')}>
        {flow.steps.map((step) => (
          <li key={step.id} title={step.step}>
            {say(step.label)}
          </li>
        ))}
      </ol>
      <p className="flow__counts">
        {COUNTS.map(([name, state, label]) => {
          const n = flow.runs[name]
          const bad = name === 'failed' && n > 0
          return (
            <Link
              key={name}
              to={`/flows/runs?flow=${encodeURIComponent(flow.code)}&state=${state}`}
              className={`flow__count${n === 0 ? ' flow__count--none' : bad ? ' flow__count--bad' : ''}`}
            >
              {bad && <span aria-hidden="true">▲ </span>}
              {t(label)} <b className="num">{count(n)}</b>
            </Link>
          )
        })}
        <span className="muted num flow__last">
          {flow.last_run_at ? `${t('flow.last')} ${dayTime(flow.last_run_at)}` : t('flow.never')}
        </span>
      </p>
    </section>
  )
}
