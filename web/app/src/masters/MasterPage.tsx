import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'react-router'
import { answer, api } from '../api/client'
import { useCan } from '../api/session'
import { useLanguage } from '../i18n'
import { recordPath } from '../lineage/paths'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { SourceLinks } from '../parts/SourceLinks'
import { Waiting } from '../parts/Waiting'
import { NotFound } from '../shell/NotFound'
import { CodeTable } from './CodeTable'
import { entityFrom } from './entities'
import '../orders/OrderPage.css'
import './Masters.css'

/** One golden record: its fields, and its code in every system. */
export default function MasterPage() {
  const { t, say } = useLanguage()
  const can = useCan()
  const params = useParams()
  const entity = entityFrom(params.entity)
  const id = params.recordId ?? ''
  const query = useQuery({
    queryKey: ['master', entity, id],
    enabled: entity !== null,
    queryFn: () =>
      answer(api.GET('/api/masters/{entity}/{record_id}', {
          params: { path: { entity: entity ?? 'customer', record_id: id } },
        })),
  })
  if (entity === null) return <NotFound />
  const page = query.data
  if (!page)
    return (
      <div className="page">
        {query.error ? <FailureNote error={query.error} retry={() => void query.refetch()} /> : <Waiting rows={8} />}
      </div>
    )
  return (
    <Page
      title={page.record.name}
      hint={
        <>
          <Link className="inline" to={`/masters/${entity}`}>← {t(`entity.${entity}`)}</Link> · <span className="num">{page.record.code}</span>
        </>
      }
      actions={can('source_rows.read') && <Link to={recordPath(entity, id)}>{t('lineage.asked')}</Link>}
    >
      <section className="card">
        <h2>{t('master.codes')}</h2>
        {page.codes.length === 0 ? <Empty title={t('master.no_codes')} /> : <CodeTable codes={page.codes} />}
      </section>
      <section className="card">
        <h2>{t('master.fields')}</h2>
        <ul className="facts">
          {page.fields.map((fact) => (
            <li key={fact.label.en}>
              <span className="muted master__label">{say(fact.label)}</span>
              <span>{fact.value ?? '–'}</span>
              <SourceLinks sources={fact.sources} of={say(fact.label)} />
            </li>
          ))}
        </ul>
      </section>
    </Page>
  )
}
