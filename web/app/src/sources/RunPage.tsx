import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'react-router'
import { answer, api } from '../api/client'
import { quantity } from '../format/quantity'
import { useLanguage } from '../i18n'
import { FigureLink } from '../board/FigureLink'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { Batches } from './Batches'
import { CancelRun } from './CancelRun'
import { Equation } from './Equation'
import { Progress } from './Progress'
import { RunFields } from './RunFields'
import { RunStateTag } from './RunStateTag'
import '../orders/OrderPage.css'
import './Sources.css'

const EVERY = 2_000

/** One run: nothing it read is unaccounted for. */
export default function RunPage() {
  const { t, say } = useLanguage()
  const { runId = '' } = useParams()
  const query = useQuery({
    queryKey: ['run', runId],
    queryFn: () => answer(api.GET('/api/runs/{run_id}', { params: { path: { run_id: runId } } })),
    refetchInterval: ({ state }) => (state.data?.run.state === 'running' ? EVERY : false),
  })
  const page = query.data
  if (!page)
    return (
      <div className="page">
        {query.error ? <FailureNote error={query.error} retry={() => void query.refetch()} /> : <Waiting rows={8} />}
      </div>
    )
  const { run } = page
  return (
    <Page
      title={`${say(run.source_label)} · ${say(page.stream_label)}`}
      hint={<Link to="/runs">← {t('menu.runs')}</Link>}
      actions={
        <>
          <RunStateTag state={run.state} />
          <CancelRun run={run} />
        </>
      }
    >
      {run.message && (
        <p className={`card run__note run__note--${run.state}`} role="status">
          {say(run.message)}
        </p>
      )}
      <section className="card">
        <h2>{t('run.equation')}</h2>
        <Equation run={run} />
        <Progress run={run} />
      </section>
      <section className="card">
        <RunFields page={page} />
      </section>
      {page.reasons.length > 0 && (
        <section className="card">
          <h2>{t('run.reasons')}</h2>
          <ul className="facts">
            {page.reasons.map((reason) => (
              <li key={reason.key}>
                <FigureLink to={reason.link} className="run__reason">
                  {say(reason.label)} <b className="num">{quantity(reason.value)}</b>
                </FigureLink>
              </li>
            ))}
          </ul>
        </section>
      )}
      <Batches batches={page.batches} source={run.source} stream={page.stream} />
    </Page>
  )
}
