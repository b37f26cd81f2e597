import { Checkbox } from 'antd'
import { Link } from 'react-router'
import { useCan } from '../api/session'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { CardTable } from '../parts/CardTable'
import { mapAddress } from './queue'
import type { Table } from './types'

type Props = {
  source: string
  tables: Table[]
  chosen: { has: (name: string) => boolean }
  choose: (names: string[], on: boolean) => void
  open: (name: string) => void
}

function Fills({ table, source }: { table: Table; source: string }) {
  const { t, say } = useLanguage()
  const can = useCan()
  if (table.sync)
    return (
      <Link className="inline" to={`/syncs/${encodeURIComponent(table.sync)}`}>
        {t('tables.read')}
      </Link>
    )
  if (table.offer)
    return (
      <>
        <b>{say(table.offer.label)}</b> <span className="muted small offer__why">{say(table.offer.why)}</span>
      </>
    )
  if (!can('sources.manage')) return <span className="muted">–</span>
  return (
    <Link className="inline" to={mapAddress(source, [table.name])}>
      {t('tables.map_this')}
    </Link>
  )
}

/** The tables of a source, each with what it probably fills. */
export function TableRows({ source, tables, chosen, choose, open }: Props) {
  const { t, say } = useLanguage()
  const can = useCan()
  return (
    <CardTable
      heads={[
        { label: t('tables.choose'), hidden: true },
        { label: t('tables.name') },
        { label: t('tables.fills') },
        { label: t('tables.columns'), right: true },
        { label: t('tables.rows'), right: true },
      ]}
    >
      {tables.map((table) => (
        <tr key={table.name}>
          <td className="tables__pick">
            {can('sources.manage') && (
              <Checkbox
                aria-label={t('tables.choose_of', { name: table.name })}
                checked={chosen.has(table.name)}
                onChange={(event) => choose([table.name], event.target.checked)}
              />
            )}
          </td>
          <td className="table__lead">
            <button type="button" className="bare code aside__key" data-row onClick={() => open(table.name)}>
              {table.name}
            </button>{' '}
            {table.label && <span className="muted">{say(table.label)}</span>}
          </td>
          <td className="table__wide">
            <Fills table={table} source={source} />
          </td>
          <td className="num table__right" data-label={t('tables.columns')}>
            {count(table.columns.length)}
          </td>
          <td className="num table__right" data-label={t('tables.rows')}>
            {table.rows === null ? '–' : count(table.rows)}
          </td>
        </tr>
      ))}
    </CardTable>
  )
}
