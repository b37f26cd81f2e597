import { Link } from 'react-router'
import type { FlowRunState, LineageFlowRun, LineagePush } from '../api/types'
import { FlowStateTag } from '../flows/FlowStateTag'
import { PushStateTag } from '../flows/Pushes'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'

/** What went on from a record: the flows it started, the rows written into other systems. */
export function Outward({ runs, pushes }: { runs: LineageFlowRun[]; pushes: LineagePush[] }) {
  const { t, say } = useLanguage()
  const { fullTime } = useFormats()
  return (
    <>
      {runs.length > 0 && (
        <section className="card">
          <h2>{t('lineage.flows')}</h2>
          <ul className="facts">
            {runs.map((run) => (
              <li key={run.id}>
                <Link className="inline" to={`/flows/runs/${run.id}`}>
                  {say(run.label)}
                </Link>
                <FlowStateTag state={run.state as FlowRunState} />
                <span className="num muted">{fullTime(run.started_at)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {pushes.length > 0 && (
        <section className="card">
          <h2>{t('lineage.pushed')}</h2>
          <ul className="facts">
            {pushes.map((push) => (
              <li key={`${push.push} ${push.key}`}>
                <span>{say(push.label)}</span>
                <span className="code">
                  {push.table} {push.key ?? '•••'}
                </span>
                <PushStateTag state={push.state} />
                <span className="num muted">{fullTime(push.sent_at)}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  )
}
