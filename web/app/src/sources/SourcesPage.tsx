import { useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { SourceCard } from './SourceCard'
import './Sources.css'

const EVERY = 5_000
// Ages grow without anything happening.
const WHILE_LIVE = 15_000

/** The legacy systems Tenon reads, and how fresh each one is. */
export default function SourcesPage() {
  const { t } = useLanguage()
  const sources = useQuery({
    queryKey: ['sources'],
    queryFn: () => answer(api.GET('/api/sources')),
    refetchInterval: useEvery(EVERY, WHILE_LIVE),
  })
  return (
    <Page title={t('menu.sources')} hint={t('sources.hint')}>
      {!sources.data &&
        (sources.error ? (
          <FailureNote error={sources.error} retry={() => void sources.refetch()} />
        ) : (
          <Waiting rows={8} />
        ))}
      {sources.data?.length === 0 && (
        <div className="card">
          <Empty title={t('sources.none')}>{t('sources.none_hint')}</Empty>
        </div>
      )}
      {sources.data?.map((source) => <SourceCard key={source.code} source={source} />)}
    </Page>
  )
}
