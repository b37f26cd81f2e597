import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Button, Input } from 'antd'
import { useState } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { useCan } from '../api/session'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'
import { useDebounced } from '../masters/useDebounced'
import { useRowKeys } from '../orders/useRowKeys'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Pager } from '../parts/Pager'
import { Waiting } from '../parts/Waiting'
import { useAddressFilter } from '../sources/useAddressFilter'
import { tablesOf, targets } from './calls'
import { inOrder, mapAddress } from './queue'
import { TableDrawer } from './TableDrawer'
import { TableRows } from './TableRows'
import { useSource } from './useSource'
import { WhatNext } from './WhatNext'
import '../masters/Masters.css'
import '../orders/OrderList.css'
import './Connect.css'

const PAGE = 50

/** What a source holds: its tables, what each probably is, and which are read already. */
export default function TablesPage() {
  const { t, say } = useLanguage()
  const { code = '' } = useParams()
  const can = useCan()
  const navigate = useNavigate()
  const { get, set, open, page, turn } = useAddressFilter()
  useRowKeys()
  const [typed, setTyped] = useState(get('q') ?? '')
  const q = useDebounced(typed.trim())
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const source = useSource(code)
  const list = useQuery({
    queryKey: ['source-tables', code, q, page],
    queryFn: () => tablesOf(code, q, page),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
  const kinds = useQuery({ queryKey: ['targets'], queryFn: targets, staleTime: 60_000 })
  const { data } = list
  const offered = data?.tables.filter((table) => table.offer && !table.sync) ?? []
  const manage = can('sources.manage')
  const start = (): void => {
    const tables = data?.tables.filter((table) => chosen.has(table.name)) ?? []
    void navigate(mapAddress(code, inOrder(tables, kinds.data ?? [])))
  }
  const choose = (names: string[], on: boolean): void => {
    const next = new Set(chosen)
    for (const name of names) on ? next.add(name) : next.delete(name)
    setChosen(next)
  }
  const every = offered.length > 0 && offered.every((table) => chosen.has(table.name))
  return (
    <Page
      title={t('tables.title', { name: source ? say(source.label) : code })}
      hint={<Link to={`/sources?source=${encodeURIComponent(code)}`}>← {t('menu.sources')}</Link>}
      actions={
        manage && (
          <Button type="primary" disabled={chosen.size === 0} onClick={start}>
            {chosen.size ? t('tables.map', { n: chosen.size }) : t('tables.map_none')}
          </Button>
        )
      }
    >
      {get('new') && <WhatNext code={code} name={source ? say(source.label) : code} />}
      {data?.ledger && (
        <div className="card ledger" role="status">
          <b>{say(data.ledger.label)}</b>
          <p>{say(data.ledger.note)}</p>
        </div>
      )}
      <div className="orders__filters">
        <Input.Search
          allowClear
          className="masters__search"
          aria-label={t('tables.search')}
          placeholder={t('tables.search')}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value)
            set('q', event.target.value.trim() || undefined)
          }}
        />
        {manage && offered.length > 0 && (
          <Button onClick={() => choose(offered.map((table) => table.name), !every)}>
            {t(every ? 'tables.none_chosen' : 'tables.all_offered', { n: offered.length })}
          </Button>
        )}
        <span className="orders__total muted num" role="status">
          {data && t('tables.total', { n: count(data.total) })}
        </span>
      </div>
      {!data &&
        (list.error ? (
          <FailureNote error={list.error} retry={() => void list.refetch()} />
        ) : (
          <>
            <p className="muted connect__wait">{t('tables.reading')}</p>
            <Waiting rows={8} />
          </>
        ))}
      {data?.tables.length === 0 && (
        <div className="card">
          <Empty title={t(q ? 'tables.none_match' : 'tables.none')}>{t(q ? 'tables.none_match_hint' : 'tables.none_hint')}</Empty>
        </div>
      )}
      {data && data.tables.length > 0 && (
        <>
          <TableRows source={code} tables={data.tables} chosen={chosen} choose={choose} open={(name) => open('table', name)} />
          <Pager of={{ page, page_size: PAGE, total: data.total }} turn={turn} />
        </>
      )}
      <TableDrawer
        source={code}
        table={data?.tables.find((table) => table.name === get('table'))}
        onClose={() => open('table', undefined)}
      />
    </Page>
  )
}
