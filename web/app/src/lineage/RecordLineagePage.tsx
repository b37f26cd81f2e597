import { useQuery } from '@tanstack/react-query'
import { useParams } from 'react-router'
import { answer, api } from '../api/client'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { FieldTable } from './FieldTable'
import { Outward } from './Outward'
import { RowList } from './RowList'
import { Story } from './Story'
import '../orders/OrderPage.css'
import './Lineage.css'

/** Where a record comes from: its rows, each field's rule, how it changed, what went on from it. */
export default function RecordLineagePage() {
  const { t, say } = useLanguage()
  const { entity = '', recordId = '' } = useParams()
  const query = useQuery({
    queryKey: ['lineage', entity, recordId],
    queryFn: () =>
      answer(
        api.GET('/api/lineage/records/{entity}/{record_id}', {
          params: { path: { entity, record_id: recordId } },
        }),
      ),
  })
  const page = query.data
  if (!page)
    return (
      <div className="page">
        {query.error ? <FailureNote error={query.error} retry={() => void query.refetch()} /> : <Waiting rows={10} />}
      </div>
    )
  return (
    <Page title={`${t('lineage.asked')} · ${say(page.entity_label)} ${page.title ?? ''}`} hint={t('lineage.hint')}>
      <RowList rows={page.rows} />
      <section className="card">
        <h2>{t('lineage.fields')}</h2>
        <FieldTable fields={page.fields} />
      </section>
      <Story events={page.events} />
      <Outward runs={page.flow_runs} pushes={page.pushes} />
    </Page>
  )
}
