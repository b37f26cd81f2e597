import { useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { FlowCard } from './FlowCard'
import { FlowTabs } from './FlowTabs'
import './Flows.css'

const EVERY = 10_000

/** What happens by itself: each flow, whether it is on, and how its runs stand. */
export default function FlowsPage() {
  const { t } = useLanguage()
  const flows = useQuery({
    queryKey: ['flows'],
    queryFn: () => answer(api.GET('/api/flows')),
    refetchInterval: useEvery(EVERY),
  })
  return (
    <Page title={t('menu.flows')} hint={t('flows.hint')}>
      <FlowTabs />
      {!flows.data &&
        (flows.error ? <FailureNote error={flows.error} retry={() => void flows.refetch()} /> : <Waiting rows={8} />)}
      {flows.data?.length === 0 && (
        <div className="card">
          <Empty title={t('flows.none')}>{t('flows.none_hint')}</Empty>
        </div>
      )}
      {flows.data?.map((flow) => (
        <FlowCard key={flow.code} flow={flow} />
      ))}
    </Page>
  )
}
