import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import type { ReactNode } from 'react'
import { Link, useNavigate } from 'react-router'
import { answer, api } from '../api/client'
import type { RunRow } from '../api/types'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { Equation } from '../sources/Equation'
import { RunStateTag } from '../sources/RunStateTag'
import { mapAddress } from './queue'
import type { SyncState } from './types'
import '../sources/Sources.css'

const EVERY = 1_000
const HEADS = {
  running: 'live_run.published',
  succeeded: 'live_run.done',
  failed: 'live_run.failed',
  interrupted: 'live_run.failed',
  cancelled: 'live_run.failed',
  partial: 'live_run.partial',
} as const
type Props = { source: string; sync: SyncState; before: string | undefined; title: string; back: ReactNode; then: string[] }

/** The first run of a mapping that was just published, as it goes; and what comes next. */
export function LiveRun({ source, sync, before, title, back, then }: Props) {
  const { t, say } = useLanguage()
  const navigate = useNavigate()
  // The newest run of this mapping, unless it is the one from before it was published.
  const own = (one: RunRow): boolean => one.sync === sync.code && one.id !== before
  const runs = useQuery({
    queryKey: ['runs', source, sync.code, 'newest'],
    queryFn: () => answer(api.GET('/api/runs', { params: { query: { source } } })),
    refetchInterval: ({ state }) => (done(state.data?.rows.find(own)?.state) ? false : EVERY),
  })
  const run = runs.data?.rows.find(own)
  const next = then[0]
  return (
    <Page
      title={title}
      hint={back}
      actions={
        next ? (
          <Button type="primary" autoFocus onClick={() => void navigate(mapAddress(source, then))}>
            {t('live_run.next', { table: next, n: then.length })}
          </Button>
        ) : (
          <Button type="primary" autoFocus onClick={() => void navigate(`/sources?source=${encodeURIComponent(source)}`)}>
            {t('live_run.sources')}
          </Button>
        )
      }
    >
      <section className="card" aria-live="polite">
        <div className="card__head">
          <h2>{t(HEADS[run?.state ?? 'running'])}</h2>
          {run && <RunStateTag state={run.state} />}
        </div>
        {run ? (
          <>
            <Equation run={run} />
            {run.message && <p className="bad">{say(run.message)}</p>}
          </>
        ) : runs.error ? (
          <FailureNote error={runs.error} retry={() => void runs.refetch()} bare />
        ) : (
          <>
            <p className="muted">{t('live_run.queued')}</p>
            <Waiting rows={3} card={false} />
          </>
        )}
        <p className="next__links">
          {run && (
            <Link className="inline" to={`/runs/${run.id}`}>
              {t('live_run.open')}
            </Link>
          )}
          {run && run.set_aside > 0 && (
            <Link className="inline" to={`/set-aside?source=${encodeURIComponent(source)}`}>
              {t('live_run.aside')}
            </Link>
          )}
          <Link className="inline" to={`/syncs/${encodeURIComponent(sync.code)}`}>
            {t('live_run.mapping')}
          </Link>
        </p>
      </section>
    </Page>
  )
}

function done(state: string | undefined): boolean {
  return state !== undefined && state !== 'running'
}
