import { useQuery } from '@tanstack/react-query'
import { Button } from 'antd'
import { useNavigate } from 'react-router'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import type { SourceState } from '../api/types'
import { useEvery } from '../api/useLive'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { Prepared } from './Prepared'
import { SourceCard } from './SourceCard'
import './Sources.css'

const EVERY = 5_000
// Ages grow without anything happening.
const WHILE_LIVE = 15_000

function Connect({ first = false }: { first?: boolean }) {
  const { t } = useLanguage()
  const navigate = useNavigate()
  return (
    <Button type="primary" onClick={() => void navigate('/sources/connect')}>
      {t(first ? 'sources.connect_first' : 'sources.connect')}
    </Button>
  )
}

function First() {
  const { t } = useLanguage()
  const can = useCan()
  const manage = can('sources.manage')
  return (
    <div className="card">
      <Empty title={t('sources.first')}>
        <p>{t(manage ? 'sources.first_hint' : 'sources.none_hint')}</p>
        {manage && (
          <p className="sources__first">
            <Connect first />
          </p>
        )}
      </Empty>
    </div>
  )
}

const connected = (source: SourceState): boolean => source.connected

/** The legacy systems Tenon reads, and how fresh each one is. */
export default function SourcesPage() {
  const { t } = useLanguage()
  const can = useCan()
  const sources = useQuery({
    queryKey: ['sources'],
    queryFn: () => answer(api.GET('/api/sources')),
    refetchInterval: useEvery(EVERY, WHILE_LIVE),
  })
  const there = sources.data?.filter(connected)
  return (
    <Page
      title={t('menu.sources')}
      hint={t('sources.hint')}
      actions={there && there.length > 0 && can('sources.manage') && <Connect />}
    >
      {!sources.data &&
        (sources.error ? (
          <FailureNote error={sources.error} retry={() => void sources.refetch()} />
        ) : (
          <Waiting rows={8} />
        ))}
      {there?.length === 0 && <First />}
      {there?.map((source) => <SourceCard key={source.code} source={source} />)}
      {sources.data && <Prepared sources={sources.data.filter((source) => !connected(source))} />}
    </Page>
  )
}
