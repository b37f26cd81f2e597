import { useQuery } from '@tanstack/react-query'
import { Drawer } from 'antd'
import { Link } from 'react-router'
import { useCan } from '../api/session'
import { useLanguage } from '../i18n'
import { FailureNote } from '../parts/FailureNote'
import { Waiting } from '../parts/Waiting'
import { sampleRows } from './calls'
import { mapAddress } from './queue'
import type { SampleRows, Table } from './types'

function Columns({ table }: { table: Table }) {
  const { t } = useLanguage()
  return (
    <div className="table-wrap" tabIndex={0} role="region" aria-label={t('tables.columns')}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{t('source.column')}</th>
            <th scope="col">{t('tables.type')}</th>
            <th scope="col">{t('tables.comment')}</th>
          </tr>
        </thead>
        <tbody>
          {table.columns.map((column) => (
            <tr key={column.name}>
              <th scope="row" className="code">
                {column.name}
                {table.key.includes(column.name) && <span className="flag flag--hold tables__key">{t('tables.key')}</span>}
              </th>
              <td className="code muted">{column.type.toLowerCase()}</td>
              <td>{column.comment}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Rows({ rows }: { rows: SampleRows }) {
  const { t } = useLanguage()
  if (rows.rows.length === 0) return <p className="muted">{t('tables.no_rows')}</p>
  return (
    <div className="table-wrap" tabIndex={0} role="region" aria-label={t('tables.sample')}>
      <table className="table sample">
        <thead>
          <tr>
            {rows.columns.map((name) => (
              <th key={name} scope="col" className="code">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.rows.map((row, index) => (
            <tr key={index}>
              {row.map((value, place) => (
                <td key={place} className="sample__value">
                  {value === null ? <span className="muted">{t('source.null')}</span> : value}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Sample({ source, name }: { source: string; name: string }) {
  const { t } = useLanguage()
  const query = useQuery({
    queryKey: ['sample', source, name],
    queryFn: () => sampleRows(source, name),
    staleTime: 60_000,
  })
  return (
    <>
      <h3 className="connect__title">{t('tables.sample')}</h3>
      {query.data ? (
        <Rows rows={query.data} />
      ) : query.error ? (
        <FailureNote error={query.error} retry={() => void query.refetch()} bare />
      ) : (
        <Waiting rows={5} card={false} />
      )}
    </>
  )
}

/** One table: its columns and keys, and some of its rows as they are. */
export function TableDrawer({ source, table, onClose }: { source: string; table: Table | undefined; onClose: () => void }) {
  const { t, say } = useLanguage()
  const can = useCan()
  return (
    <Drawer
      open={table !== undefined}
      onClose={onClose}
      size={760}
      destroyOnHidden
      title={table ? table.name : ''}
      styles={{ wrapper: { maxWidth: '100vw' } }}
    >
      {table && (
        <>
          <p className="tables__about">
            {table.label && <span>{say(table.label)}</span>}
            {table.offer && (
              <span className="muted">
                {t('tables.probably', { name: say(table.offer.label) })} {say(table.offer.why)}
              </span>
            )}
            {can('sources.manage') && (
              <Link className="inline" to={mapAddress(source, [table.name])}>
                {t(table.sync ? 'tables.map_again' : 'tables.map_this')}
              </Link>
            )}
          </p>
          {can('source_rows.read') && <Sample source={source} name={table.name} />}
          <h3 className="connect__title">{t('tables.columns_of', { n: table.columns.length })}</h3>
          <Columns table={table} />
        </>
      )}
    </Drawer>
  )
}
