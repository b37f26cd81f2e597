import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from 'react-router'
import { answer, api } from '../api/client'
import type { RowLineage } from '../api/types'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { Outward } from './Outward'
import { recordPath } from './paths'
import { RowFacts } from './RowList'
import { Story } from './Story'
import '../orders/OrderPage.css'
import '../parts/Table.css'
import './Lineage.css'

function Columns({ columns }: { columns: RowLineage['columns'] }) {
  const { t, say, language } = useLanguage()
  return (
    <div className="table-wrap">
      <table className="table table--cards">
        <thead>
          <tr>
            <th scope="col">{t('source.column')}</th>
            <th scope="col">{t('source.value')}</th>
            <th scope="col">{t('lineage.makes')}</th>
          </tr>
        </thead>
        <tbody>
          {columns.map((column) => (
            <tr key={column.name}>
              <td className="code">{column.name}</td>
              <td className="code chain__value">{column.value ?? <span className="muted">{t('source.null')}</span>}</td>
              <td className="table__wide" data-label={t('lineage.makes')}>
                {column.makes.length > 0 ? (
                  column.makes.map(say).join(language === 'zh' ? '、' : ', ')
                ) : (
                  <span className="muted small">{t('lineage.makes_none')}</span>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Became({ page }: { page: RowLineage }) {
  const { t, say } = useLanguage()
  const { record, reason, row } = page
  return (
    <section className="card">
      <h2>{t('lineage.became')}</h2>
      {row.state !== 'applied' && (
        <p className="warn">
          {t(`source.${row.state}`)}
          {reason && `：${say(reason)}`}
        </p>
      )}
      {record === null ? (
        <p className="muted">{t('lineage.became_none')}</p>
      ) : (
        <p>
          <Link className="inline" to={recordPath(record.entity, record.id)}>
            {say(record.entity_label)} <b>{record.title ?? record.id}</b>
          </Link>{' '}
          <span className="muted small">{t(row.wrote ? 'lineage.wrote' : 'lineage.linked')}</span>
        </p>
      )}
    </section>
  )
}

/** What a source row became: its record, how it changed it, flows, write-backs. */
export default function RowLineagePage() {
  const { t, say } = useLanguage()
  const { source = '', stream = '', '*': key = '' } = useParams()
  const query = useQuery({
    queryKey: ['lineage-row', source, stream, key],
    queryFn: () =>
      answer(
        api.GET('/api/lineage/source-rows/{source}/{stream}/{key}', {
          params: { path: { source, stream, key } },
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
    <Page title={`${say(page.row.label)} ${page.row.stream} · ${page.row.key}`} hint={t('lineage.hint_row')}>
      <section className="card">
        <RowFacts row={page.row} />
      </section>
      <Became page={page} />
      <section className="card">
        <h2>{t('lineage.columns')}</h2>
        <Columns columns={page.columns} />
      </section>
      {page.record !== null && <Story events={page.events} />}
      <Outward runs={page.flow_runs} pushes={page.pushes} />
    </Page>
  )
}
