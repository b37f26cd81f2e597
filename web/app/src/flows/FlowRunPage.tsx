import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'react-router'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { FigureLink } from '../board/FigureLink'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { DataView } from './DataView'
import { FlowStateTag } from './FlowStateTag'
import { Pushes } from './Pushes'
import { RunActions } from './RunActions'
import { StepList } from './StepList'
import '../orders/OrderPage.css'
import '../sources/Sources.css'
import './Flows.css'

const EVERY = 3_000

/** One run of a flow: its steps with what they gave, and what it wrote elsewhere. */
export default function FlowRunPage() {
  const { t, say } = useLanguage()
  const { fullTime } = useFormats()
  const { runId = '' } = useParams()
  const every = useEvery(EVERY)
  const query = useQuery({
    queryKey: ['flow-run', runId],
    queryFn: () => answer(api.GET('/api/flow-runs/{run_id}', { params: { path: { run_id: runId } } })),
    // A run that is over changes no more, but what it wrote may still be read back.
    refetchInterval: ({ state }) => (state.data?.can_cancel ? every : Math.max(every, 15_000)),
  })
  const page = query.data
  if (!page)
    return (
      <div className="page">
        {query.error ? <FailureNote error={query.error} retry={() => void query.refetch()} /> : <Waiting rows={8} />}
      </div>
    )
  const { run } = page
  const subject = run.subject || say(run.entity_label)
  return (
    <Page
      title={`${say(run.label)} · ${subject}`}
      hint={<Link to="/flows/runs">← {t('flows.runs')}</Link>}
      actions={<RunActions page={page} />}
    >
      {run.failure && !page.steps.some((step) => step.state === 'failed' && step.failure) && (
        <div className="card run__note run__note--failed" role="status">
          <p>{say(run.failure.message)}</p>
          <p className="small code">{run.failure.code}</p>
        </div>
      )}
      <section className="card">
        <dl className="fields fields--run">
          <div className="field">
            <dt>{t('runs.state')}</dt>
            <dd>
              <FlowStateTag state={run.state} />
            </dd>
          </div>
          <div className="field">
            <dt>{t('flow_runs.subject')}</dt>
            <dd>
              <FigureLink to={run.subject_link} className="flow-run__subject">
                {subject}
              </FigureLink>
            </dd>
          </div>
          <div className="field">
            <dt>{t('runs.started')}</dt>
            <dd className="num">{fullTime(run.started_at)}</dd>
          </div>
          <div className="field">
            <dt>{t(run.waits_until ? 'flow_runs.until' : 'run.ended')}</dt>
            <dd className="num">{fullTime(run.waits_until ?? run.ended_at)}</dd>
          </div>
        </dl>
      </section>
      <section className="card">
        <h2>{t('flow.steps')}</h2>
        <StepList steps={page.steps} />
      </section>
      <Pushes pushes={page.pushes} />
      <section className="card">
        <h2>{t('flow_run.trigger')}</h2>
        <p className="muted small">{t('flow_run.trigger_hint')}</p>
        <DataView data={page.trigger} />
      </section>
    </Page>
  )
}
